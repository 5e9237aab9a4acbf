package org.sparkdl.graph

import org.sparkdl.graph.Rules.{Rule, axesInput, axis, table}

/** Operations along axes of a value, whose numbers grow by one. */
private[graph] object AxisRules {

  lazy val byOp: Map[String, Rule] =
    table("Sum Mean Min Max Prod All Any EuclideanNorm", alongInput) ++
      table("ArgMax ArgMin Cumsum Cumprod CumulativeLogsumexp ReverseV2", alongInput) ++
      table("Softmax LogSoftmax TopKV2", lastDimensions(1)) ++
      table("MatrixInverse MatrixDeterminant Cholesky MatrixBandPart MatrixDiagPart", lastDimensions(2)) ++
      table("ConcatV2", concat) ++
      table("Pack", pack) ++
      table("Unpack", unpack) ++
      table("Split", n => alongOther(n, values = 1, along = 0)) ++
      table("SplitV", n => alongOther(n, values = 0, along = 2)) ++
      table("OneHot", oneHot)

  /** The second input, a constant, says which axes. */
  private val alongInput: Rule = n =>
    for {
      rank <- n.args(0).rank
      axes <- axesInput(n, 1, rank)
      node <- n.keep(Seq(n.args(0).ref, axes))
    } yield node

  /** Operations on the last dimensions, whatever comes before them. */
  private def lastDimensions(count: Int): Rule =
    n => if (n.onlyFirst && n.args.head.rank.exists(_ >= count)) n.keep(n.refs) else None

  private val concat: Rule = n => {
    val values = n.args.init
    for {
      rank <- values.head.rank.filter(r => r > 0 && values.forall(_.rank.contains(r)))
      along <- axesInput(n, n.args.size - 1, rank)
      node <- n.keep(values.map(n.spread) :+ along)
    } yield node
  }

  private val pack: Rule = n =>
    for {
      rank <- n.args.head.rank
      along <- axis(n.long("axis", 0), rank + 1)
      node <- n.keep(n.args.map(n.spread), "axis" -> along)
    } yield node

  private val unpack: Rule = n =>
    for {
      rank <- n.args.head.rank
      along <- axis(n.long("axis", 0), rank)
      node <- n.keep(n.refs, "axis" -> along)
    } yield node

  private def alongOther(n: RowNode, values: Int, along: Int) =
    if (n.args.indices.exists(i => i != values && n.args(i).rows)) None
    else
      for {
        rank <- n.args(values).rank
        lifted <- axesInput(n, along, rank)
        node <- n.keep(n.refs.updated(along, lifted))
      } yield node

  private val oneHot: Rule = n =>
    if (!n.onlyFirst) None
    else
      for {
        rank <- n.args.head.rank
        along <- axis(n.long("axis", -1), rank + 1)
        node <- n.keep(n.refs, "axis" -> along)
      } yield node
}
