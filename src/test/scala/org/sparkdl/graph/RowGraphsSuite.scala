package org.sparkdl.graph

import scala.util.Random

import org.scalatest.funsuite.AnyFunSuite
import org.tensorflow.proto.{AttrValue, FunctionDef, GraphDef, NameAttrList}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{GraphDefs, TfException, TfGraph}
import org.sparkdl.runtime.DType.{Bool, Float32, Float64, Int32, Int64, Str}
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.TestRuntime.runtime

class RowGraphsSuite extends AnyFunSuite with Lifting {
  private val double = Map("T" -> Float64)
  private val reduce = Map("T" -> Float64, "Tidx" -> Int32)

  test("random graphs give the same row by row and lifted") {
    val ways = (1 to 60).map { seed =>
      val graph = new RandomGraph(new Random(seed))
      withClue(s"seed $seed: ")(check(graph.inputs, graph.outputs, seed = seed)(graph.build))
    }
    assert(ways.count(_ == Vectorised) > 30)
    assert(ways.count(_ == Mapped) > 5)
  }

  test("dimensions that only a run knows") {
    val inputs = Seq(In.open("x", Float64, Seq(-1, 3), Seq(5, 3)), In.open("y", Float64, Seq(-1), Seq(3)))
    val outputs = Seq("mean", "shape", "rows", "size", "flat", "like", "scaled", "last")
    val way = check(inputs, outputs) {
      _.const("zero", Int32, Seq(0))
        .tensor("first", Int32, Nil, Seq(0))
        .const("minus", Int32, Seq(-1))
        .const("one", Int32, Seq(1))
        .tensor("half", Float64, Nil, Seq(0.5))
        .node("Mean", "mean", Seq("x", "zero"), reduce)
        .node("Shape", "shape", Seq("x"), Map("T" -> Float64, "out_type" -> Int32))
        .node(
          "GatherV2",
          "rows",
          Seq("shape", "first", "first"),
          Map("Tparams" -> Int32, "Tindices" -> Int32, "Taxis" -> Int32)
        )
        .node("Size", "size", Seq("x"), Map("T" -> Float64, "out_type" -> Int64))
        .node("Reshape", "flat", Seq("x", "minus"), Map("T" -> Float64, "Tshape" -> Int32))
        .node("Reshape", "like", Seq("flat", "shape"), Map("T" -> Float64, "Tshape" -> Int32))
        .node("Mul", "scaled", Seq("x", "half"), double)
        .node(
          "StridedSlice",
          "last",
          Seq("y", "minus", "zero", "one"),
          Map("T" -> Float64, "Index" -> Int32, "end_mask" -> 1L)
        )
    }
    assert(way == Vectorised)
  }

  test("outputs keep what is known of their shapes") {
    val graph = new GraphDefs().placeholder("x", Float64).node("Neg", "y", Seq("x"), double).toBytes
    val x = TensorSpec("x", "x:0", Float64, Some(Seq(-1, 3)))
    val block = RowGraphs.toBlocks(runtime, graph, Seq(x), Seq(TensorSpec("y", "y:0", Float64, None)))
    assert(block.inputs == Seq(x.copy(shape = Some(Seq(-1, -1, 3)))))
    assert(block.outputs == Seq(TensorSpec("y", "y:0", Float64, Some(Seq(-1, -1, 3)))))
  }

  test("an output may be an input, a constant, or the same as another") {
    val way = check(Seq(In("x", Str, 2)), Seq("x", "c", "y", "y", "x")) {
      _.tensor("c", Str, Seq(2), Seq("a", "b")).node("Identity", "y", Seq("x"), Map("T" -> Str))
    }
    assert(way == Vectorised)
  }

  test("an operation without a rule is called for each row, whatever its other dimensions") {
    for (declared <- Seq(3L, -1L)) {
      val way = check(Seq(In.open("x", Float64, Seq(declared), Seq(3)), In("s", Str)), Seq("d", "s", "x", "h")) {
        _.node("Diag", "d", Seq("x"), double).node("StringToHashBucketFast", "h", Seq("s"), Map("num_buckets" -> 10L))
      }
      assert(way == Mapped)
    }
  }

  test("rows whose outputs differ in shape are run one by one") {
    val way = check(Seq(In("x", Bool, 4), In("y", Float64, 4)), Seq("at", "y", "sum")) {
      _.node("Where", "at", Seq("x"), Map("T" -> Bool))
        .const("zero", Int32, Seq(0))
        .node("Sum", "sum", Seq("y", "zero"), reduce)
    }
    assert(way == OneByOne)
  }

  test("shapes that differ although they should not are refused, never mixed up") {
    val graph = new GraphDefs().placeholder("x", Bool, Seq(2)).node("Where", "at", Seq("x"), Map("T" -> Bool)).toBytes
    val x = TensorSpec("x", "x:0", Bool, Some(Seq(2)))
    val block =
      RowGraphs.lift(runtime, graph, Seq(x), Seq(TensorSpec("at", "at:0", Int64, None)))(
        MapDefunGraph.of(_).get -> false
      )
    def at(values: Boolean*) =
      run(block.graphDef, block.outputs.map(_.tensor), Seq(Seq("x" -> Value(Bool, Seq(2, 2), values))))
    assert(at(true, false, false, true) == Seq(Seq(Value(Int64, Seq(2, 1, 1), Seq(0L, 1L)))))
    assert(intercept[TfException](at(true, true, false, true)).getMessage.contains("shape"))
  }

  test("random numbers are drawn for each row") {
    val graph = new GraphDefs()
      .placeholder("x", Float32, Seq(2))
      .const("two", Int32, Seq(2))
      .node("RandomUniform", "r", Seq("two"), Map("T" -> Int32, "dtype" -> Float32))
      .node("AddV2", "y", Seq("x", "r"), Map("T" -> Float32))
      .toBytes
    val block = lift(graph, Seq(In("x", Float32, 2)), Seq("y"))
    assert(wayOf(block) == Mapped)
    val zeros = Value(Float32, Seq(3, 2), Seq.fill(6)(0f))
    val drawn = run(block.graphDef, block.outputs.map(_.tensor), Seq(Seq("x" -> zeros))).head.head.elements
    assert(drawn.distinct.size == 6)
  }

  test("functions of the graph are kept, and called for each row") {
    val body =
      TfGraph.fromBytes(
        runtime,
        new GraphDefs().placeholder("a", Float64, Seq(2)).node("Neg", "b", Seq("a"), double).toBytes
      )
    val function = FunctionDef.parseFrom(body.asFunction("negated", body.output("a").toSeq, body.output("b").toSeq))
    body.close()
    val list = AttrValue
      .newBuilder()
      .setList(AttrValue.ListValue.newBuilder().addType(org.tensorflow.proto.DataType.DT_DOUBLE))
      .build()
    val call = AttrValue.newBuilder().setFunc(NameAttrList.newBuilder().setName("negated")).build()
    val graph = GraphDef.parseFrom(
      new GraphDefs()
        .placeholder("x", Float64, Seq(2))
        .node("PartitionedCall", "y", Seq("x"), Map("Tin" -> list, "Tout" -> list, "f" -> call))
        .node("EnsureShape", "z", Seq("y"), Map("T" -> Float64, "shape" -> Seq(2L)))
        .toBytes
    )
    val full = graph.toBuilder.setLibrary(graph.getLibrary.toBuilder.addFunction(function)).build().toByteArray
    assert(checkGraph(full, Seq(In("x", Float64, 2)), Seq("z")) == Mapped)
  }

  test("branches of TensorFlow 1 are called for each row") {
    val way = check(Seq(In("x", Float64, 2), In("b", Bool)), Seq("z")) {
      _.node("Switch", "s", Seq("x", "b"), double)
        .node("Neg", "no", Seq("s"), double)
        .node("Exp", "yes", Seq("s:1"), double)
        .node("Merge", "m", Seq("no", "yes"), Map("N" -> 2L, "T" -> Float64))
        .node("EnsureShape", "z", Seq("m"), Map("T" -> Float64, "shape" -> Seq(2L)))
    }
    assert(way == Mapped)
  }

  test("loops of TensorFlow 1 run one by one") {
    val frame = Map("T" -> Float64, "frame_name" -> "loop")
    val way = check(Seq(In("x", Float64)), Seq("out")) {
      _.tensor("limit", Float64, Nil, Seq(100.0))
        .tensor("two", Float64, Nil, Seq(2.0))
        .node("Abs", "start", Seq("x"), double)
        .node("AddV2", "positive", Seq("start", "two"), double)
        .node("Enter", "enter", Seq("positive"), frame)
        .node("Enter", "end", Seq("limit"), frame + ("is_constant" -> true))
        .node("Enter", "factor", Seq("two"), frame + ("is_constant" -> true))
        .node("Merge", "merge", Seq("enter", "next"), Map("N" -> 2L, "T" -> Float64))
        .node("Less", "less", Seq("merge", "end"), double)
        .node("LoopCond", "cond", Seq("less"))
        .node("Switch", "switch", Seq("merge", "cond"), double)
        .node("Mul", "more", Seq("switch:1", "factor"), double)
        .node("NextIteration", "next", Seq("more"), double)
        .node("Exit", "out", Seq("switch"), double)
    }
    assert(way == OneByOne)
  }

  test("reductions of groups of rows") {
    val way = check(
      Seq(In.open("x_input", Float64, Seq(-1, 2), Seq(6, 2)), In.open("n_input", Int64, Seq(-1), Seq(6))),
      Seq("x", "n", "m")
    ) {
      _.const("axis", Int32, Seq(0))
        .node("Sum", "x", Seq("x_input", "axis"), reduce)
        .node("Sum", "n", Seq("n_input", "axis"), Map("T" -> Int64, "Tidx" -> Int32))
        .node("MatMul", "m", Seq("x_input", "x_input"), Map("T" -> Float64, "transpose_a" -> true))
    }
    assert(way == Vectorised)
  }

  test("rules are not applied where a rank or a shape leaves them open") {
    val graph =
      (g: GraphDefs) => g.node("AddV2", "y", Seq("x", "c"), double).tensor("c", Float64, Seq(3), Seq(1.0, 2.0, 3.0))
    val bytes = graph(new GraphDefs().placeholder("x", Float64)).toBytes
    val x = TensorSpec("x", "x:0", Float64, None)
    assert(
      wayOf(
        RowGraphs.toBlocks(runtime, bytes, Seq(x), Seq(TensorSpec("y", "y:0", Float64, Some(Seq(3)))))
      ) != Vectorised
    )
    // GatherV2 of a table along its second axis would put the rows second
    val way = check(Seq(In("i", Int32, 2)), Seq("y")) {
      _.tensor("t", Float64, Seq(2, 3), (1 to 6).map(_.toDouble))
        .tensor("one", Int32, Nil, Seq(1))
        .node("GatherV2", "y", Seq("t", "i", "one"), Map("Tparams" -> Float64, "Tindices" -> Int32, "Taxis" -> Int32))
    }
    assert(way == Mapped)
  }

  test("nodes that wait for others still do") {
    val way = check(Seq(In("x", Float64, 2)), Seq("y")) {
      _.node("NoOp", "done", Seq("^x")).node("Neg", "y", Seq("x", "^done"), double)
    }
    assert(way == Vectorised)
  }

  test("inputs of a shape that the graph cannot take are refused with TensorFlow's reason") {
    val graph = new GraphDefs()
      .placeholder("x", Float64)
      .placeholder("y", Float64)
      .node("MatMul", "z", Seq("x", "y"), double)
      .toBytes
    val inputs = Seq("x", "y").map(n => TensorSpec(n, s"$n:0", Float64, Some(Seq(2, 3))))
    val e =
      intercept[InvalidModelException](
        RowGraphs.toBlocks(runtime, graph, inputs, Seq(TensorSpec("z", "z:0", Float64, None)))
      )
    assert(
      e.getMessage.startsWith(
        "TensorFlow does not accept the graph with the inputs x: float64 [2, 3], y: float64 [2, 3]: "
      )
    )
    assert(e.getMessage.contains("must be equal"))
  }
}

/** A few operations on two inputs, in turn; some have no rule. */
private final class RandomGraph(random: Random) {
  private val first = Seq.fill(random.nextInt(4))(random.nextInt(3) + 1L)
  val inputs: Seq[In] = Seq(In("x", Float64, first: _*), In("y", Float64, first.drop(random.nextInt(2)): _*))

  private val tensors = collection.mutable.ArrayBuffer(inputs.map(i => i.name -> i.actual): _*)
  private val steps = Seq.newBuilder[GraphDefs => GraphDefs]
  (1 to 8).foreach(step)

  def outputs: Seq[String] = tensors.drop(2).map(_._1).toSeq
  def build(g: GraphDefs): GraphDefs = steps.result().foldLeft(g)((g, s) => s(g))

  private def one[T](of: collection.Seq[T]): T = of(random.nextInt(of.size))

  private def step(i: Int): Unit = {
    val ((a, shape), name) = (one(tensors), s"n$i")
    val rank = shape.size
    def put(dims: Seq[Long])(s: GraphDefs => GraphDefs): Unit = { steps += s; tensors += name -> dims }
    def ints(g: GraphDefs, values: Seq[Long]) = g.tensor(s"$name/c", Int32, Seq(values.size.toLong), values)
    val types = Map[String, Any]("T" -> Float64)
    random.nextInt(10) match {
      case 0 => put(shape)(_.node(one(Seq("Neg", "Square", "Sigmoid", "Abs")), name, Seq(a), types))
      case 1 | 2 | 3 =>
        val (b, other) = one(tensors.filter { case (_, s) => goes(s, shape) })
        val dims = if (other.size > rank) other else shape
        put(dims)(_.node(one(Seq("AddV2", "Sub", "Mul", "Maximum")), name, one(Seq(Seq(a, b), Seq(b, a))), types))
      case 4 if rank > 0 =>
        val axis = random.nextInt(rank)
        val written = if (random.nextBoolean()) axis else axis - rank
        put(shape.patch(axis, Nil, 1))(
          ints(_, Seq(written.toLong))
            .node(one(Seq("Sum", "Max", "Mean")), name, Seq(a, s"$name/c"), types + ("Tidx" -> Int32))
        )
      case 5 if rank < 4 =>
        val axis = random.nextInt(rank + 1)
        put(shape.patch(axis, Seq(1L), 0))(
          _.tensor(s"$name/c", Int32, Nil, Seq(if (random.nextBoolean()) axis else axis - rank - 1))
            .node("ExpandDims", name, Seq(a, s"$name/c"), types + ("Tdim" -> Int32))
        )
      case 6 =>
        val order = random.shuffle((0 until rank).toVector)
        put(order.map(shape))(
          ints(_, order.map(_.toLong)).node("Transpose", name, Seq(a, s"$name/c"), types + ("Tperm" -> Int32))
        )
      case 7 =>
        val c = Seq.fill(shape.product.toInt)(random.nextInt(9) / 4.0)
        put(shape)(
          _.tensor(s"$name/c", Float64, shape, c)
            .node("AddV2", name, one(Seq(Seq(a, s"$name/c"), Seq(s"$name/c", a))), types)
        )
      case 8 if rank > 0 && random.nextInt(4) == 0 =>
        put(shape)(
          ints(_, Seq(1))
            .node(
              "Roll",
              name,
              Seq(a, s"$name/c", s"$name/c/axis"),
              types ++ Map("Tshift" -> Int32, "Taxis" -> Int32)
            )
            .tensor(s"$name/c/axis", Int32, Seq(1), Seq(0))
        )
      case 8 if rank < 4 =>
        put(shape :+ 2L)(_.node("Pack", name, Seq(a, a), types ++ Map("N" -> 2L, "axis" -> -1L)))
      case _ => put(shape)(_.node("Exp", name, Seq(s"$name/t"), types).node("Tanh", s"$name/t", Seq(a), types))
    }
  }

  private def goes(a: Seq[Long], b: Seq[Long]): Boolean =
    a.reverse.zip(b.reverse).forall { case (x, y) => x == y }
}
