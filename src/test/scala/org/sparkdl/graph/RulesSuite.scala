package org.sparkdl.graph

import scala.util.chaining._

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.runtime.GraphDefs
import org.sparkdl.runtime.DType.{Bool, Float32, Float64, Int32, Int64, Str}

/** Every rule of the tables against rows that are run one by one. */
class RulesSuite extends AnyFunSuite with Lifting {
  private val shapes = Seq(Nil, Seq(3L), Seq(2L, 3L), Seq(4L, 2L, 3L))

  private def each(
      ops: String
  )(add: (GraphDefs, String, String) => GraphDefs): (Seq[String], GraphDefs => GraphDefs) = {
    val names = ops.split("\\s+").toSeq.filter(_.nonEmpty)
    (names.map("of" + _), g => names.foldLeft(g)((g, op) => add(g, op, s"of$op")))
  }

  private def ints(g: GraphDefs, name: String, values: Seq[Int]) =
    g.tensor(name, Int32, Seq(values.size.toLong), values)
  private def int(g: GraphDefs, name: String, value: Int) = g.tensor(name, Int32, Nil, Seq(value))

  for (shape <- shapes) {
    val rank = shape.size

    test(s"elements of rank $rank") {
      val (outputs, add) = each(
        """Abs Neg Sign Square Sqrt Rsqrt Exp Expm1 Log Log1p Reciprocal Inv Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh
          Asinh Acosh Atanh Sigmoid Softplus Softsign Relu Relu6 LeakyRelu Elu Selu Floor Ceil Round Rint Erf Erfc Erfinv
          Ndtri Lgamma Digamma Identity StopGradient PreventGradient Snapshot ZerosLike OnesLike"""
      )((g, op, name) => g.node(op, name, Seq("x"), Map("T" -> Float32)))
      assert(check(Seq(In("x", Float32, shape: _*)), outputs)(add) == Vectorised)
    }

    test(s"tests and casts of rank $rank") {
      val way = check(
        Seq(In("x", Float32, shape: _*), In("i", Int32, shape: _*), In("b", Bool, shape: _*)),
        Seq("nan", "cast", "not", "invert", "text", "checked", "ensured")
      )(
        _.node("IsNan", "nan", Seq("x"), Map("T" -> Float32))
          .node("Cast", "cast", Seq("x"), Map("SrcT" -> Float32, "DstT" -> Int64))
          .node("LogicalNot", "not", Seq("b"))
          .node("Invert", "invert", Seq("i"), Map("T" -> Int32))
          .node("AsString", "text", Seq("i"), Map("T" -> Int32))
          .node("CheckNumerics", "checked", Seq("x"), Map("T" -> Float32, "message" -> "m"))
          .node("EnsureShape", "ensured", Seq("x"), Map("T" -> Float32, "shape" -> shape.map(_ => -1L)))
      )
      assert(way == Vectorised)
    }

    test(s"strings of rank $rank") {
      val (outputs, add) =
        each("StringLower StringUpper StringStrip EncodeBase64")((g, op, n) => g.node(op, n, Seq("s")))
      val way =
        check(Seq(In("s", Str, shape: _*)), outputs ++ Seq("length", "part", "joined", "twice", "replaced", "same"))(
          g =>
            add(g)
              .node("StringLength", "length", Seq("s"))
              .node("Substr", "part", Seq("s", "zero", "zero"), Map("T" -> Int32))
              .tensor("zero", Int32, Nil, Seq(0))
              .tensor("dash", Str, Nil, Seq("-"))
              .tensor("pattern", Str, Nil, Seq("[a-m]"))
              .node("StringJoin", "joined", Seq("s", "dash", "s"), Map("N" -> 3L))
              .node("StringJoin", "twice", Seq("s", "s"), Map("N" -> 2L, "separator" -> "+"))
              .node("RegexReplace", "replaced", Seq("s", "pattern", "dash"))
              .node("Equal", "same", Seq("s", "dash"), Map("T" -> Str))
        )
      assert(way == Vectorised)
    }

    test(s"reductions over each axis of rank $rank") {
      val axes = (-rank until rank).map(Seq(_)) ++ Seq(Nil, (0 until rank), (0 until rank).map(_ - rank).reverse)
      val ops = Seq("Sum", "Mean", "Min", "Max", "Prod", "EuclideanNorm").map(_ -> Float64) ++ Seq("All", "Any").map(
        _ -> Bool
      )
      val cases =
        for { (op, dtype) <- ops; (a, i) <- axes.zipWithIndex; keep <- Seq(true, false) } yield (
          op,
          dtype,
          a,
          s"$op${i}_$keep",
          keep
        )
      val way = check(Seq(In("x", Float64, shape: _*), In("b", Bool, shape: _*)), cases.map(_._4)) { g =>
        cases.foldLeft(g) { case (g, (op, dtype, a, name, keep)) =>
          val types = Map("Tidx" -> Int32, "keep_dims" -> keep) ++ (if (dtype == Bool) Map.empty[String, Any]
                                                                    else Map("T" -> dtype))
          ints(g, s"$name/axes", a).node(op, name, Seq(if (dtype == Bool) "b" else "x", s"$name/axes"), types)
        }
      }
      assert(way == Vectorised)
    }

    if (rank > 0) test(s"operations along each axis of rank $rank") {
      val cases = (-rank until rank).flatMap(a =>
        Seq("ArgMax", "ArgMin", "Cumsum", "Cumprod", "ReverseV2", "Split", "SplitV", "GatherV2", "ConcatV2").map(
          _ -> a
        )
      )
      val names = cases.map { case (op, a) => s"$op${a + rank}" }
      val way =
        check(Seq(In("x", Float64, shape: _*)), names ++ Seq("soft", "top", "top:1", "bands").take(2 + rank)) { g =>
          val all = cases.zip(names).foldLeft(g) { case (g, ((op, a), name)) =>
            val axis = s"$name/axis"
            val n = shape((a + rank) % rank)
            op match {
              case "ArgMax" | "ArgMin" =>
                int(g, axis, a).node(
                  op,
                  name,
                  Seq("x", axis),
                  Map("T" -> Float64, "Tidx" -> Int32, "output_type" -> Int64)
                )
              case "ReverseV2" =>
                ints(g, axis, Seq(a)).node(op, name, Seq("x", axis), Map("T" -> Float64, "Tidx" -> Int32))
              case "Split" =>
                int(g, axis, a).node(op, name, Seq(axis, "x"), Map("T" -> Float64, "num_split" -> n))
              case "SplitV" =>
                ints(int(g, axis, a), s"$name/sizes", Seq(n.toInt - 1, 1))
                  .node(
                    op,
                    name,
                    Seq("x", s"$name/sizes", axis),
                    Map("T" -> Float64, "Tlen" -> Int32, "num_split" -> 2L)
                  )
              case "GatherV2" =>
                ints(int(g, axis, a), s"$name/at", Seq(1, 0, 1)).node(
                  op,
                  name,
                  Seq("x", s"$name/at", axis),
                  Map("Tparams" -> Float64, "Tindices" -> Int32, "Taxis" -> Int32)
                )
              case "ConcatV2" =>
                int(g, axis, a)
                  .tensor(s"$name/more", Float64, shape, Seq.fill(shape.product.toInt)(2.5))
                  .node(op, name, Seq("x", s"$name/more", axis), Map("N" -> 2L, "T" -> Float64, "Tidx" -> Int32))
              case _ => int(g, axis, a).node(op, name, Seq("x", axis), Map("T" -> Float64, "Tidx" -> Int32))
            }
          }
          int(int(all, "one", 1), "two", 2)
            .node("Softmax", "soft", Seq("x"), Map("T" -> Float64))
            .node("TopKV2", "top", Seq("x", "two"), Map("T" -> Float64))
            .node("MatrixBandPart", "bands", Seq("x", "one", "one"), Map("T" -> Float64, "Tindex" -> Int32))
        }
      assert(way == Vectorised)
    }

    test(s"changes of shape of rank $rank") {
      val n = shape.product
      val inserted = (-rank - 1 to rank)
      val way = check(
        Seq(In("x", Float64, shape: _*)),
        Seq(
          "flat",
          "column",
          "back",
          "turned",
          "tiled",
          "wide",
          "filled",
          "shape",
          "rank",
          "size",
          "packed",
          "constant"
        ) ++
          inserted.map(i => s"inserted${i + rank + 1}")
      ) { g =>
        val more = inserted.foldLeft(g) { (g, i) =>
          val name = s"inserted${i + rank + 1}"
          int(g, s"$name/axis", i).node(
            "ExpandDims",
            name,
            Seq("x", s"$name/axis"),
            Map("T" -> Float64, "Tdim" -> Int32)
          )
        }
        val dims = Map("T" -> Float64, "out_type" -> Int32)
        ints(more, "minus", Seq(-1))
          .pipe(ints(_, "two", Seq(n.toInt, -1)))
          .pipe(ints(_, "order", (0 until rank).reverse))
          .pipe(ints(_, "times", Seq.fill(rank)(2)))
          .pipe(ints(_, "target", 5 +: shape.map(_.toInt)))
          .node("Reshape", "flat", Seq("x", "minus"), Map("T" -> Float64, "Tshape" -> Int32))
          .node("Reshape", "column", Seq("x", "two"), Map("T" -> Float64, "Tshape" -> Int32))
          .node("Squeeze", "back", Seq("column"), Map("T" -> Float64))
          .node("Transpose", "turned", Seq("x", "order"), Map("T" -> Float64, "Tperm" -> Int32))
          .node("Tile", "tiled", Seq("x", "times"), Map("T" -> Float64, "Tmultiples" -> Int32))
          .node("BroadcastTo", "wide", Seq("x", "target"), Map("T" -> Float64, "Tidx" -> Int32))
          .node("Sum", "sum", Seq("flat", "minus"), Map("T" -> Float64, "Tidx" -> Int32))
          .node("Fill", "filled", Seq("target", "sum"), Map("T" -> Float64, "index_type" -> Int32))
          .node("Shape", "shape", Seq("x"), dims)
          .node("Rank", "rank", Seq("x"), Map("T" -> Float64))
          .node("Size", "size", Seq("x"), dims)
          .node("Pack", "packed", Seq("x", "x"), Map("N" -> 2L, "T" -> Float64, "axis" -> -1L))
          .node("Identity", "constant", Seq("target"), Map("T" -> Int32))
      }
      assert(way == Vectorised)
    }

    for (other <- shapes if other.size <= 2) test(s"broadcasting of ranks $rank and ${other.size}") {
      val right = if (other.isEmpty) Nil else shape.takeRight(other.size).padTo(other.size, 3L)
      val (floats, add) = each(
        """AddV2 Sub Mul RealDiv FloorDiv FloorMod Pow Maximum Minimum SquaredDifference DivNoNan MulNoNan Xdivy Xlogy
          Atan2 Equal NotEqual Less LessEqual Greater GreaterEqual"""
      )((g, op, name) => g.node(op, name, Seq("x", "y"), Map("T" -> Float64)))
      val (constants, addConstants) =
        each("Add Sub Div Minimum")((g, op, name) => g.node(op, s"$name/c", Seq("x", "c"), Map("T" -> Float64)))
      val inputs = Seq(In("x", Float64, shape: _*), In("y", Float64, right: _*), In("b", Bool, right: _*))
      val way = check(inputs, floats ++ constants.map(_ + "/c") ++ Seq("from", "chosen", "both")) { g =>
        addConstants(add(g.tensor("c", Float64, right, (1 to right.product.toInt).map(_ / 4.0))))
          .node("Sub", "from", Seq("c", "x"), Map("T" -> Float64))
          .node("SelectV2", "chosen", Seq("b", "x", "c"), Map("T" -> Float64))
          .node("LogicalAnd", "both", Seq("b", "ofLess"))
      }
      assert(way == Vectorised)
    }
  }

  test("slices") {
    val way = check(Seq(In("x", Float64, 4, 3, 2)), Seq("sliced", "strided", "element", "padded", "edge", "rest")) {
      g =>
        ints(g, "from", Seq(1, 0, 0))
          .pipe(ints(_, "size", Seq(2, -1, 1)))
          .pipe(ints(_, "begin", Seq(-1, 0)))
          .pipe(ints(_, "end", Seq(0, 2)))
          .pipe(ints(_, "step", Seq(-2, 1)))
          .pipe(ints(_, "ones", Seq(1, 1)))
          .tensor("amounts", Int32, Seq(3, 2), Seq(1, 0, 0, 2, 0, 0))
          .tensor("value", Float64, Nil, Seq(9.5))
          .node("Slice", "sliced", Seq("x", "from", "size"), Map("T" -> Float64, "Index" -> Int32))
          .node("StridedSlice", "strided", Seq("x", "begin", "end", "step"), Map("T" -> Float64, "Index" -> Int32))
          .node(
            "StridedSlice",
            "element",
            Seq("x", "begin", "end", "ones"),
            Map("T" -> Float64, "Index" -> Int32, "shrink_axis_mask" -> 1L, "new_axis_mask" -> 2L)
          )
          .node(
            "StridedSlice",
            "rest",
            Seq("x", "begin", "end", "step"),
            Map("T" -> Float64, "Index" -> Int32, "ellipsis_mask" -> 1L, "end_mask" -> 2L)
          )
          .node("Pad", "padded", Seq("x", "amounts"), Map("T" -> Float64, "Tpaddings" -> Int32))
          .node("PadV2", "edge", Seq("x", "amounts", "value"), Map("T" -> Float64, "Tpaddings" -> Int32))
    }
    assert(way == Vectorised)
  }

  test("gathering with indices or values of the row") {
    val types = Map("Tparams" -> Float64, "Tindices" -> Int32, "Taxis" -> Int32)
    for (indices <- Seq(Nil, Seq(2L), Seq(2L, 2L))) {
      val inputs = Seq(In("x", Float64, 3, 4), In("i", Int32, indices: _*))
      val outputs = Seq("table", "both", "column") ++ Seq("hot").filter(_ => indices.size < 2)
      val way = check(inputs, outputs) { g =>
        int(int(g, "zero", 0), "one", 1)
          .tensor("c", Float64, Seq(3, 2), Seq(1, 2, 3, 4, 5, 6))
          .tensor("depth", Int32, Nil, Seq(3))
          .tensor("on", Float64, Nil, Seq(1.0))
          .tensor("off", Float64, Nil, Seq(0.0))
          .node("GatherV2", "table", Seq("c", "i", "zero"), types)
          .node("GatherV2", "both", Seq("x", "i", "zero"), types)
          .node("GatherV2", "column", Seq("x", "i", "one"), types)
          .node("OneHot", "hot", Seq("i", "depth", "on", "off"), Map("T" -> Float64, "TI" -> Int32, "axis" -> 0L))
      }
      assert(way == Vectorised)
    }
  }

  test("products of matrices") {
    for (ta <- Seq(false, true); tb <- Seq(false, true)) {
      val (a, b) = (if (ta) Seq(3L, 2L) else Seq(2L, 3L), if (tb) Seq(4L, 3L) else Seq(3L, 4L))
      val flags = Map("T" -> Float64, "transpose_a" -> ta, "transpose_b" -> tb)
      val batch = Map("T" -> Float64, "adj_x" -> ta, "adj_y" -> tb)
      val inputs = Seq(In("a", Float64, a: _*), In("b", Float64, b: _*), In("many", Float64, 5L +: a: _*))
      val way = check(inputs, Seq("both", "left", "right", "batches", "constant", "summed")) {
        _.tensor("ca", Float64, a, (1 to 6).map(_ / 2.0))
          .tensor("cb", Float64, b, (1 to 12).map(_ / 3.0))
          .node("MatMul", "both", Seq("a", "b"), flags)
          .node("MatMul", "left", Seq("a", "cb"), flags)
          .node("MatMul", "right", Seq("ca", "b"), flags)
          .node("BatchMatMulV2", "batches", Seq("many", "b"), batch)
          .node("BatchMatMulV2", "constant", Seq("many", "cb"), batch)
          .node(
            "Einsum",
            "summed",
            Seq("a", "cb"),
            Map("N" -> 2L, "T" -> Float64, "equation" -> (if (ta) "ki," else "ik,").+(if (tb) "jk->ij" else "kj->ij"))
          )
      }
      assert(way == Vectorised)
    }
  }

  test("convolutions and pools, whose rows may hold several images") {
    val strides = GraphDefs.ints(Seq(1, 1, 1, 1))
    val way = check(Seq(In("x", Float32, 2, 6, 5, 3)), Seq("conv", "pool", "bias", "resized")) {
      _.tensor("k", Float32, Seq(2, 2, 3, 2), (1 to 24).map(_ / 8f))
        .tensor("b", Float32, Seq(3), Seq(1f, 2f, 3f))
        .tensor("size", Int32, Seq(2), Seq(4, 4))
        .node("Conv2D", "conv", Seq("x", "k"), Map("T" -> Float32, "strides" -> strides, "padding" -> "VALID"))
        .node(
          "MaxPool",
          "pool",
          Seq("x"),
          Map("T" -> Float32, "strides" -> strides, "ksize" -> GraphDefs.ints(Seq(1, 2, 2, 1)), "padding" -> "SAME")
        )
        .node("BiasAdd", "bias", Seq("x", "b"), Map("T" -> Float32))
        .node("ResizeBilinear", "resized", Seq("x", "size"), Map("T" -> Float32))
    }
    assert(way == Vectorised)
  }

  test("several values added, and values chosen by Select") {
    val way =
      check(Seq(In("x", Float64, 2, 3), In("b", Bool, 2, 3), In("one", Bool)), Seq("sum", "chosen", "whole")) {
        _.tensor("c", Float64, Seq(2, 3), (1 to 6).map(_.toDouble))
          .node("AddN", "sum", Seq("x", "c", "x"), Map("N" -> 3L, "T" -> Float64))
          .node("Select", "chosen", Seq("b", "x", "c"), Map("T" -> Float64))
          .node("Select", "whole", Seq("one", "c", "x"), Map("T" -> Float64))
      }
    assert(way == Vectorised)
  }
}
