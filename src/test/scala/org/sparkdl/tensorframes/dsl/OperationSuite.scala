package org.sparkdl.tensorframes.dsl

import java.util.concurrent.{Callable, Executors}

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.errors.SparkDLException
import org.sparkdl.graph.{Lifting, Value}
import org.sparkdl.runtime.DType.{Bool, Float32, Float64, Int32, Int64, Str}

class OperationSuite extends AnyFunSuite with Lifting {
  private def x = placeholder[Double](Unknown, 2) named "x"
  private def v = placeholder[Double](Unknown) named "v"

  /** What the operations are when `feeds` are fed. */
  private def values(feeds: (String, Value)*)(operations: Operation*): Seq[Value] = {
    val built = BuiltGraph.of(operations)
    run(built.graphDef, built.outputs.map(_._2), Seq(feeds)).head
  }

  private def doubles(shape: Long*)(values: Double*) = Value(Float64, shape, values)
  private def names(operations: Operation*) = BuiltGraph.of(operations).outputs.map(_._1)
  private def refused(body: => Any): String = intercept[SparkDLException](body).getMessage

  test("arithmetic and comparison of operations and values") {
    val fed = "v" -> doubles(3)(1, 2, 4)
    val found = values(fed)(
      v + v,
      v + 3.0,
      1 - v,
      2.0 * v,
      v / 2,
      -v,
      v + Seq(1.0, 2.0, 3.0),
      Seq(1, 2, 3) * v,
      abs(1.0 - v),
      square(v) named "sq",
      sqrt(v * v),
      log(exp(v)),
      minimum(v, 2),
      maximum(v, 2)
    )
    val expected = Seq(
      Seq(2, 4, 8),
      Seq(4, 5, 7),
      Seq(0, -1, -3),
      Seq(2, 4, 8),
      Seq(0.5, 1, 2),
      Seq(-1, -2, -4),
      Seq(2, 4, 7),
      Seq(1, 4, 12),
      Seq(0, 1, 3),
      Seq(1, 4, 16),
      Seq(1, 2, 4),
      Seq(1, 2, 4),
      Seq(1, 2, 2),
      Seq(2, 2, 4)
    )
    assert(found.map(_.elements) == expected)
    val tests =
      values(fed)(v < 2.0, v <= 2.0, v > 2.0, v >= 2.0, v === 2.0, v =!= 2.0, (v > 1) && !(v > 2), v < 2 || v > 2)
    assert(
      tests.map(_.elements.map(e => if (e == true) 't' else 'f').mkString) ==
        Seq("tff", "ttf", "fft", "ftt", "ftf", "tft", "ftf", "tft")
    )
  }

  test("reductions over some axes, and over all when none is given") {
    val fed = "x" -> doubles(2, 2)(1, 2, 3, 5)
    val found = values(fed)(
      reduceSum(x),
      reduceSum(x, 0),
      reduceMin(x, 1),
      reduceMax(x, -1),
      reduceMean(x, 0, 1),
      argMin(x, 1),
      argMax(x, 0),
      expandDims(reduceSum(x, 0), 0)
    )
    assert(
      found == Seq(
        doubles()(11),
        doubles(2)(4, 7),
        doubles(2)(1, 3),
        doubles(2)(2, 5),
        doubles()(2.75),
        Value(Int64, Seq(2), Seq(0L, 0L)),
        Value(Int64, Seq(2), Seq(1L, 1L)),
        doubles(1, 2)(4, 7)
      )
    )
  }

  test("products, sums by number, casts, and what is filled") {
    val fed = "x" -> doubles(2, 2)(1, 2, 3, 5)
    val m = constant(Seq(Seq(1.0, 0.0), Seq(0.0, 2.0)))
    assert(
      values(fed)(matMul(x, m), matMul(x, x, transposeA = true)) == Seq(
        doubles(2, 2)(1, 4, 3, 10),
        doubles(2, 2)(10, 17, 17, 29)
      )
    )
    val ids = constant(Array(1, 1))
    assert(values(fed)(unsortedSegmentSum(x, ids, 2)) == Seq(doubles(2, 2)(0, 0, 4, 7)))
    assert(
      values()(cast[Int](constant(2.7)), cast(constant(2), "float32")) ==
        Seq(Value(Int32, Nil, Seq(2)), Value(Float32, Nil, Seq(2f)))
    )
    assert(
      values()(zeros[Float](2), ones[Long](1, 2), fill(Seq(2), "a"), zeros("bool", 1), ones("float64")) == Seq(
        Value(Float32, Seq(2), Seq(0f, 0f)),
        Value(Int64, Seq(1, 2), Seq(1L, 1L)),
        Value(Str, Seq(2), Seq("a", "a")),
        Value(Bool, Seq(1), Seq(false)),
        doubles()(1)
      )
    )
    val three = placeholder[Double](2, 3, 4)
    assert(matMul(three, placeholder[Double](4, 5)).dims == Seq(2, 3, 5))
  }

  test("dtypes and shapes are those that TensorFlow infers") {
    assert((x + v.named("w")).shape.contains(Seq(-1, 2)))
    assert((x + ones[Double](3, 1, 2)).dims == Seq(3, -1, 2))
    assert(reduceSum(placeholder[Double](3, 5), 1).dims == Seq(3))
    assert(reduceMin(placeholder[Double](3, 5), -2).dims == Seq(5))
    assert((x < 1.0).dtype == Bool && (x < 1.0).dims == Seq(-1, 2))
    assert(fill(Seq(2, 3), 1f).toString == "Fill: float32 [2, 3]")
  }

  test("values keep their types; whole numbers and floats go where nothing is lost") {
    val dtypes =
      Seq(constant(1.0), constant(1f), constant(1), constant(1L), constant(1.toShort), constant("a")).map(_.dtype)
    assert(dtypes.map(_.name) == Seq("float64", "float32", "int32", "int64", "int16", "string"))
    assert(Seq(v + 1, v + 1f, v + 1.toByte).forall(_.dtype == Float64))
    assert((placeholder[Long]() + 1).dtype == Int64)
    val float = placeholder[Float]() named "f"
    assert((float + 1f).dtype == Float32)
    assert(
      refused(
        float + 0.1
      ) == "Cannot compute 'add' of f: float32 [] and Const: float64 []: both need the same dtype. " +
        "Convert one of them: cast[Double](x)."
    )
    assert(constant(Array(Array(1, 2), Array(3, 4))).dims == Seq(2, 2))
    assert(constant(java.util.List.of(1.5, 2.5)).toString == "Const: float64 [2]")
  }

  test("values that are not tensors are refused") {
    def message(why: String, kind: String) =
      s"A constant cannot be made from this $kind: it has $why. Expected numbers, " +
        "booleans or strings of one type, or sequences of equal lengths of them."
    assert(refused(constant(Array(Array(1), Array(2, 3)))) == message("parts of different lengths", "int[][]"))
    assert(refused(constant(Array[Any](1, 2.0))) == message("elements of types int32, float64", "Object[]"))
    assert(refused(constant(Array.empty[Int])) == message("no elements, so no dtype: use zeros[T]", "int[]"))
    assert(refused(constant(BigInt(1))) == message("a type that tensors do not have", "BigInt"))
    assertDoesNotCompile("v + new Object")
    assertDoesNotCompile("placeholder[Any](1)")
  }

  test("what TensorFlow refuses is refused immediately, with its reason") {
    val message = refused(matMul(x, constant(Seq(Seq(1.0)))))
    assert(
      message.startsWith("Cannot compute 'MatMul' of x: float64 [?, 2] and Const: float64 [1, 1]: TensorFlow says: ")
    )
    assert(message.contains("must be equal"))
    assert(
      refused(v named "two words").startsWith("'two words' cannot be the name of an operation: expected letters")
    )
  }

  test("names are TensorFlow's: the second one of a name gets _1") {
    assert(
      names(v + 1.0, v - 1.0, v + 2.0, (v + 3.0) named "z", (v + 4.0) named "z") == Seq(
        "add",
        "sub",
        "add_1",
        "z",
        "z_1"
      )
    )
    assert(names(reduceSum(v), v / 2.0, matMul(x, x), v) == Seq("Sum", "div", "MatMul", "v"))
  }

  test("scopes are prefixes of names; one that is used twice is two") {
    val found = scope("a") {
      val one = v + 1.0
      Seq(one, one + 2.0, scope("b")(one * 2.0), one * 3.0 named "z")
    } ++ Seq(scope("a")(v + 4.0), v + 5.0)
    assert(names(found: _*) == Seq("a/add", "a/add_1", "a/b/mul", "a/z", "a_1/add", "add"))
  }

  test("a scope ends with its block, also when that fails") {
    intercept[IllegalStateException](scope("a")(throw new IllegalStateException))
    assert(names(v + 1.0) == Seq("add"))
  }

  test("placeholders that agree are one; a fetched placeholder returns what was fed") {
    val built = BuiltGraph.of(Seq(v + v, v))
    assert(values("v" -> doubles(1)(3))(v + v, v) == Seq(doubles(1)(6), doubles(1)(3)))
    assert(built.outputs == Seq("add" -> "add", "v" -> "v/output"))
  }

  test("a program may be long") {
    val sum = (1 to 1500).foldLeft(v)((sum, _) => sum + sum - sum)
    assert(values("v" -> doubles(1)(3))(sum) == Seq(doubles(1)(3)))
  }

  test("many threads make and run programs at once") {
    val shared = v
    def program(i: Int) = scope(s"thread$i") {
      val scaled = shared * i.toDouble
      scope("inner")(Seq(scaled + 1.0, reduceSum(scaled), scaled named "z"))
    }
    def task(i: Int): Callable[Unit] = () =>
      (1 to 20).foreach { _ =>
        assert(
          names(program(i): _*) == Seq("inner/add", "inner/Sum", "mul").map(n => s"thread$i/$n".replace("mul", "z"))
        )
        assert(
          values("v" -> doubles(2)(1, 2))(program(i): _*).map(_.elements) ==
            Seq(Seq(i + 1.0, 2.0 * i + 1), Seq(3.0 * i), Seq(i.toDouble, 2.0 * i))
        )
      }
    val pool = Executors.newFixedThreadPool(8)
    try pool.invokeAll((1 to 16).map(task).asJava).asScala.foreach(_.get())
    finally pool.shutdown()
  }
}
