package org.sparkdl.graph

import org.tensorflow.proto.DataType

import org.sparkdl.graph.Rules.{Rule, axis, table}

/** Operations that take parts of a value, or add to its edges. */
private[graph] object SliceRules {

  lazy val byOp: Map[String, Rule] =
    table("Slice", n => withRowsFirst(n, Seq(0L, -1L))) ++
      table("StridedSlice", stridedSlice) ++
      table("Pad PadV2 MirrorPad", pad) ++
      table("GatherV2", gather) ++
      table("Gather", n => if (n.args(0).rows) None else n.keep(n.refs)) ++
      table("GatherNd", n => if (n.args(0).rows || !n.args(1).rank.exists(_ > 0)) None else n.keep(n.refs))

  /** Prepends a number for the dimension of rows, which stays whole, to inputs with one number per dimension. */
  private def withRowsFirst(n: RowNode, first: Seq[Long], changed: (String, Any)*) =
    if (!n.onlyFirst) None
    else {
      val bounds = n.args.tail.zip(first).map { case (arg, value) =>
        n.concat(Seq(n.ints(Seq(value), arg.dtype), arg.ref), arg.dtype)
      }
      n.keep(n.args.head.ref +: bounds, changed: _*)
    }

  private val stridedSlice: Rule = n => {
    def shifted(mask: String, whole: Long = 0L) = mask -> ((n.long(mask, 0L) << 1) | whole)
    withRowsFirst(
      n,
      Seq(0L, 0L, 1L),
      shifted("begin_mask", 1L),
      shifted("end_mask", 1L),
      shifted("ellipsis_mask"),
      shifted("new_axis_mask"),
      shifted("shrink_axis_mask")
    )
  }

  /** The amounts are a matrix of two numbers per dimension; the padding value, a scalar, is the same for all rows. */
  private val pad: Rule = n =>
    if (!n.onlyFirst) None
    else
      for (amounts <- n.constant(1)) yield {
        val dtype = n.args(1).dtype
        val rows = n.add(
          "Reshape",
          Seq(n.ints(Seq(0L, 0L) ++ amounts, dtype), n.ints(Seq(-1L, 2L))),
          "T" -> dtype,
          "Tshape" -> DataType.DT_INT32
        )
        n.keep(n.refs.updated(1, rows)).get
      }

  private val gather: Rule = n => {
    val (values, indices) = (n.args(0), n.args(1))
    for {
      rank <- values.rank
      along <- n.constant(2).map(_.head).flatMap(axis(_, rank)) if n.long("batch_dims", 0L) == 0
      lifted = (by: Long) => n.ints(Seq(by), n.args(2).dtype, scalar = true)
      node <- (values.rows, indices.rows) match {
        case (true, true)             => n.keep(Seq(values.ref, indices.ref, lifted(along)), "batch_dims" -> 1L)
        case (true, false)            => n.keep(Seq(values.ref, indices.ref, lifted(along)))
        case (false, _) if along == 1 => n.keep(n.refs)
        case _                        => None
      }
    } yield node
  }
}
