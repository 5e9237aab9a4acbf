package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, RunsModel}
import org.apache.spark.sql.types.BooleanType

/** Runs a model once for the branches of a union that take the same rows of it: each row is expanded into those of
  * the branches. Filters of the branches are kept as columns that say whether a row belongs to the branch.
  *
  * Nothing is shared that may differ from one evaluation to the next, such as what a model draws anew in each run.
  */
object UnionsOnce extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (plan.isStreaming || !plan.exists(_.isInstanceOf[RunsModel])) plan
    else plan.transformUp { case union: Union => share(union) }

  private def share(union: Union): LogicalPlan = {
    val groups = groupByRows(union.children.map(UnionBranch.of).toList)
    if (groups.size == union.children.size) union
    else
      groups.map { case Seq(one) => one.plan; case several => expand(several) } match {
        case Seq(all) => all
        case some     => union.copy(children = some)
      }
  }

  /** The branches by what they take rows of, in their order. */
  private def groupByRows(branches: List[UnionBranch]): List[Seq[UnionBranch]] = branches match {
    case first :: rest if first.isShareable =>
      val (same, others) = rest.partition(_.rows.canonicalized == first.rows.canonicalized)
      (first +: same.map(_.on(first.rows))) :: groupByRows(others)
    case first :: rest => Seq(first) :: groupByRows(rest)
    case Nil           => Nil
  }

  /** The rows of all the branches, under the ids of the first one's columns. */
  private def expand(branches: Seq[UnionBranch]): LogicalPlan = {
    val columns = Union(branches.map(_.plan)).output
    val keep = AttributeReference("keep", BooleanType)()
    val results = columns.map(_.newInstance().withNullability(true))
    val isFiltered = branches.exists(_.conditions.nonEmpty)
    val projections = branches.map(b => if (isFiltered) b.guarded :+ b.keeps else b.list)
    val needed = AttributeSet(branches.flatMap(b => b.list ++ b.conditions))
    val rows = RowsOfAny(branches)
    val narrow = Project(rows.output.filter(needed.contains), rows)
    val rowsOfAll = Expand(projections, if (isFiltered) results :+ keep else results, narrow)
    val named =
      columns.zip(results).map { case (c, g) => Alias(g, c.name)(c.exprId, explicitMetadata = Some(c.metadata)) }
    Project(named, if (isFiltered) Filter(keep, rowsOfAll) else rowsOfAll)
  }
}

/** The rows that some of the branches keep: what filters a branch filters the rows, too, below each of the models
  * that it needs no output of.
  */
private object RowsOfAny {

  def apply(branches: Seq[UnionBranch]): LogicalPlan = {
    val rows = branches.head.rows
    val ofLevels =
      (0 to depth(rows)).flatMap(level => anyOf(branches.map(_.conditions.filter(passes(_, rows) >= level))))
    ofLevels.distinct.reduceOption(And).fold(rows)(Filter(_, rows))
  }

  /** None where a branch keeps all rows. */
  private def anyOf(conditions: Seq[Seq[Expression]]): Option[Expression] =
    if (conditions.exists(_.isEmpty)) None else conditions.map(_.reduce(And)).distinct.reduceOption(Or)

  private def depth(rows: LogicalPlan): Int = rows match {
    case m: EvalModel => 1 + depth(m.child)
    case p: Project   => depth(p.child)
    case _            => 0
  }

  /** How many models the condition may be moved below. */
  private def passes(condition: Expression, rows: LogicalPlan): Int = rows match {
    case m: EvalModel if m.byRow && condition.references.subsetOf(m.child.outputSet) => 1 + passes(condition, m.child)
    case p: Project => passes(Conditions.writeOut(condition, p), p.child)
    case _          => 0
  }
}
