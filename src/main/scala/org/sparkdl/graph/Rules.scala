package org.sparkdl.graph

import org.tensorflow.proto.NodeDef

/** How an operation that depends on rows is done for many rows at once.
  *
  * A rule returns the node that takes the operation's place, under the same name, whose outputs have the dimension of
  * rows in front; or None where that is not certain to be right: then the graph is run row by row.
  */
private[graph] object Rules {
  type Rule = RowNode => Option[NodeDef]

  /** Broadcasting is implemented for five dimensions, one of which is that of rows. */
  private val MaxRank = 4

  lazy val byOp: Map[String, Rule] =
    ElementRules.byOp ++ AxisRules.byOp ++ ShapeRules.byOp ++ SliceRules.byOp ++ ProductRules.byOp

  /** The same rule for several operations. */
  def table(ops: String, rule: Rule): Map[String, Rule] = ops.split("\\s+").filter(_.nonEmpty).map(_ -> rule).toMap

  /** The rank of all inputs after broadcasting. */
  def commonRank(node: RowNode): Option[Int] =
    if (node.args.exists(_.rank.isEmpty)) None else Some(node.args.flatMap(_.rank).max).filter(_ <= MaxRank)

  /** Axis `axis` of one row's value of rank `rank`, as an axis of many rows. */
  def axis(axis: Long, rank: Int): Option[Long] =
    if (axis >= -rank && axis < rank) Some((axis + rank) % rank + 1) else None

  def axes(axes: Seq[Long], rank: Int): Option[Seq[Long]] = {
    val lifted = axes.flatMap(axis(_, rank))
    if (lifted.size == axes.size) Some(lifted) else None
  }

  /** Constant input `i` as axes of many rows, written as a vector or a scalar as it was. */
  def axesInput(node: RowNode, i: Int, rank: Int): Option[String] = for {
    constant <- node.constant(i)
    lifted <- axes(constant, rank)
  } yield node.ints(lifted, node.args(i).dtype, scalar = node.args(i).rank.contains(0))
}
