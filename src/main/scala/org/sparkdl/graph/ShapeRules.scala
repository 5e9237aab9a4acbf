package org.sparkdl.graph

import org.tensorflow.proto.DataType

import org.sparkdl.graph.Rules.{Rule, axesInput, table}
import org.sparkdl.runtime.GraphDefs

/** Operations that give a value another shape, and those that ask for a shape. */
private[graph] object ShapeRules {

  lazy val byOp: Map[String, Rule] =
    table("Reshape", reshape) ++
      table("ExpandDims", expandDims) ++
      table("Squeeze", squeeze) ++
      table("Transpose", transpose) ++
      table("Tile", tile) ++
      table("BroadcastTo", n => if (n.onlyFirst) broadcastTo(n, n.args(0), n.args(1)) else None) ++
      table("Fill", n => if (n.args(0).rows) None else broadcastTo(n, n.args(1), n.args(0)))

  /** Shapes are the same for all rows of a batch, so the results of these do not depend on the row. */
  lazy val ofShapes: Map[String, Rule] = table("Shape", shape) ++ table("Rank", rank) ++ table("Size", size)

  private val reshape: Rule = n =>
    if (!n.onlyFirst) None
    else {
      val dtype = n.args(1).dtype
      val fixed = n.constant(1).filter(_.forall(_ > 0)).map(dims => n.ints(-1L +: dims, dtype))
      n.keep(Seq(n.args(0).ref, fixed.getOrElse(n.concat(Seq(n.rowCount(n.args(0), dtype), n.args(1).ref), dtype))))
    }

  private val expandDims: Rule = n =>
    for {
      rank <- n.args.head.rank
      along <- axesInput(n, 1, rank + 1)
      node <- n.keep(Seq(n.args.head.ref, along))
    } yield node

  private val squeeze: Rule = n => {
    val listed = n.attr("squeeze_dims").toSeq.flatMap(a => (0 until a.getList.getICount).map(a.getList.getI(_)))
    val dims =
      if (listed.nonEmpty) n.args.head.rank.flatMap(Rules.axes(listed, _))
      else n.args.head.fixed.map(_.zipWithIndex.collect { case (1, i) => i + 1L })
    dims.flatMap {
      case Seq()   => n.replace("Identity", n.refs, "T" -> n.outputType)
      case shifted => n.keep(n.refs, "squeeze_dims" -> GraphDefs.ints(shifted))
    }
  }

  private val transpose: Rule = n =>
    for {
      order <- n.constant(1)
      lifted <- Rules.axes(order, order.size)
      node <- n.keep(Seq(n.args.head.ref, n.ints(0L +: lifted, n.args(1).dtype)))
    } yield node

  private val tile: Rule = n =>
    if (!n.onlyFirst) None
    else {
      val dtype = n.args(1).dtype
      n.keep(Seq(n.args(0).ref, n.concat(Seq(n.ints(Seq(1), dtype), n.args(1).ref), dtype)))
    }

  private def broadcastTo(n: RowNode, value: Arg, dims: Arg) = for {
    rank <- dims.fixed.filter(_.size == 1).map(_.head.toInt).filter(_ <= 4)
    valueRank <- value.rank if valueRank <= rank
    target = n.concat(Seq(n.rowCount(value, dims.dtype), dims.ref), dims.dtype)
    node <- n.replace("BroadcastTo", Seq(n.aligned(value, rank), target), "T" -> value.dtype, "Tidx" -> dims.dtype)
  } yield node

  private val shape: Rule = n =>
    n.args.head.fixed match {
      case Some(dims) => n.constantNode(dims, n.outputType, scalar = false)
      case None =>
        val all = n.add("Shape", n.refs, "T" -> n.args.head.dtype, "out_type" -> n.outputType)
        n.replace(
          "Slice",
          Seq(all, n.ints(Seq(1)), n.ints(Seq(-1))),
          "T" -> n.outputType,
          "Index" -> DataType.DT_INT32
        )
    }

  private val rank: Rule = n =>
    n.args.head.rank.flatMap(r => n.constantNode(Seq(r.toLong), n.outputType, scalar = true))

  private val size: Rule = n => {
    val out = n.outputType
    n.args.head.fixed match {
      case Some(dims) => n.constantNode(Seq(dims.product), out, scalar = true)
      case None =>
        val dims = n.dims(n.args.head.ref, n.args.head.dtype, 1, -1, out)
        n.replace("Prod", Seq(dims, n.ints(Seq(0), scalar = true)), "T" -> out, "Tidx" -> DataType.DT_INT32)
    }
  }
}
