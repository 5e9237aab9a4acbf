package org.sparkdl.graph

import org.tensorflow.proto.DataType

import org.sparkdl.graph.Rules.{Rule, commonRank, table}

/** Products of matrices, and operations on images that already have a batch dimension. */
private[graph] object ProductRules {

  lazy val byOp: Map[String, Rule] =
    table("MatMul", matMul) ++
      table("BatchMatMul BatchMatMulV2", batchMatMul) ++
      table("Einsum", einsum) ++
      table(
        "BiasAdd",
        n => if (n.attr("data_format").forall(_.getS.toStringUtf8 == "NHWC")) channels(n) else folded(n)
      ) ++
      table("Conv2D DepthwiseConv2dNative MaxPool AvgPool", folded) ++
      table("ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea", folded)

  private val Types = Set(
    DataType.DT_FLOAT,
    DataType.DT_DOUBLE,
    DataType.DT_HALF,
    DataType.DT_BFLOAT16,
    DataType.DT_INT32,
    DataType.DT_INT64
  )

  /** One large product with a matrix that is the same for all rows; otherwise one product per row. */
  private val matMul: Rule = n =>
    if (!Types(n.outputType) || !n.args.forall(_.rank.contains(2))) None
    else if (n.onlyFirst && !n.flag("transpose_a")) folded(n).orElse(products(n, "transpose_a", "transpose_b"))
    else products(n, "transpose_a", "transpose_b")

  private val batchMatMul: Rule = n =>
    if (Types(n.outputType) && n.args.forall(_.rank.exists(_ >= 2))) products(n, "adj_x", "adj_y") else None

  private def products(n: RowNode, first: String, second: String) = commonRank(n).flatMap { rank =>
    n.replace(
      "BatchMatMulV2",
      n.args.map(n.aligned(_, rank)),
      "T" -> n.outputType,
      "adj_x" -> n.flag(first),
      "adj_y" -> n.flag(second)
    )
  }

  /** Adds a letter, for the rows, in front of each term that has rows. */
  private val einsum: Rule = n => {
    val equation = n.attr("equation").fold("")(_.getS.toStringUtf8.filterNot(_.isWhitespace))
    val sides = equation.split("->", -1)
    ('A' to 'Z').find(!equation.contains(_)).filter(_ => sides.length == 2 && !equation.contains('.')).flatMap {
      letter =>
        val terms = sides(0).split(",", -1).zip(n.args).map { case (t, arg) => if (arg.rows) s"$letter$t" else t }
        n.keep(n.refs, "equation" -> s"${terms.mkString(",")}->$letter${sides(1)}")
    }
  }

  private val channels: Rule = n => if (n.onlyFirst) n.keep(n.refs) else None

  /** The first dimension of one row's value already counts independent entries: it is merged with that of rows, and
    * both are split again afterwards.
    */
  private val folded: Rule = n =>
    if (!n.onlyFirst) None
    else
      for {
        in <- n.args.head.shape
        out <- n.outputShape
        if in.size > 1 && in.forall(_ > 0) && out.forall(_ > 0) && out.head == in.head
        flat = reshape(n, n.args.head.ref, n.args.head.dtype, -1L +: in.tail)
        inner <- n.keep(flat +: n.refs.tail)
        result <- n.replace(
          "Reshape",
          Seq(n.addNode(inner), n.ints(-1L +: out)),
          "T" -> n.outputType,
          "Tshape" -> DataType.DT_INT32
        )
      } yield result

  private def reshape(n: RowNode, ref: String, dtype: DataType, dims: Seq[Long]): String =
    n.add("Reshape", Seq(ref, n.ints(dims)), "T" -> dtype, "Tshape" -> DataType.DT_INT32)
}
