package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, RunsModel}

/** Moves models above what drops rows and does not look at the model's outputs, so that only the rows that stay go
  * through them. Python functions in between, such as those that load images, move with them.
  */
object MoveModelsUp extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (plan.isStreaming || !plan.exists(_.isInstanceOf[RunsModel])) plan
    else plan.transformDown { case node if !staysOnTop(node, plan) => move(node).getOrElse(node) }

  /** Spark collects the rows of a limit that ends a query from as few partitions as it takes: a limit of each
    * partition goes below the model then ([[OptimizeModels]]).
    */
  private def staysOnTop(node: LogicalPlan, query: LogicalPlan): Boolean =
    (node eq query) && DropsRows.isUnsortedLimit(node)

  private def move(node: LogicalPlan): Option[LogicalPlan] =
    DropsRows.of(node).iterator.flatMap(moveAbove).find(_ => true).orElse(belowProjection(node))

  /** Rows are sorted by columns that a projection drops before the limit: the limit goes first. */
  private def belowProjection(node: LogicalPlan): Option[LogicalPlan] = node match {
    case LimitOfAll(_, p @ Project(list, s: Sort), on) if s.global && list.forall(_.deterministic) =>
      move(on(s)).map(m => p.copy(child = m))
    case _ => None
  }

  private def moveAbove(drops: DropsRows): Option[LogicalPlan] = drops.child match {
    case GivesEachRow(row) => moveAboveProjected(drops, row.output, row)
    case Project(list, GivesEachRow(row)) if list.forall(_.deterministic) => moveAboveProjected(drops, list, row)
    case _                                                                => None
  }

  /** What computes nothing from the outputs of `row` goes below it, where rows are dropped now. */
  private def moveAboveProjected(
      drops: DropsRows,
      list: Seq[NamedExpression],
      row: UnaryNode
  ): Option[LogicalPlan] = {
    val (after, before) = list.partition(_.references.exists(row.producedAttributes.contains))
    val below = drops.on(project(before ++ neededAbove(row, before, after), row.child))
    val looksAtResults = after.exists(e => drops.looksAt.contains(e.toAttribute))
    if (looksAtResults || !hasColumnsOnce(below)) None
    else {
      val results = after.map(e => e.exprId -> e).toMap
      Some(Project(drops.output.map(a => results.getOrElse(a.exprId, a)), over(row, below)))
    }
  }

  /** The columns that are needed above besides those of `before`. */
  private def neededAbove(
      row: UnaryNode,
      before: Seq[NamedExpression],
      after: Seq[NamedExpression]
  ): Seq[Attribute] = {
    val inputs = row match {
      case m: EvalModel => AttributeSet(Seq(m.call) ++ m.rejected ++ m.rowSource)
      case other        => AttributeSet(other.expressions) -- other.producedAttributes
    }
    (inputs ++ AttributeSet(after) -- row.producedAttributes -- AttributeSet(before.map(_.toAttribute))).toSeq
  }

  /** Both sides of a join of a DataFrame with itself may have a column of the same id below what renews it. */
  private def hasColumnsOnce(plan: LogicalPlan): Boolean = plan match {
    case j: Join => j.left.outputSet.intersect(j.right.outputSet).isEmpty
    case _       => true
  }

  private def project(list: Seq[NamedExpression], child: LogicalPlan): LogicalPlan =
    if (list == child.output) child else Project(list, child)

  private def over(row: UnaryNode, child: LogicalPlan): LogicalPlan = row match {
    case m: EvalModel => m.copy(carried = child.output, child = child)
    case other        => other.withNewChildren(Seq(child))
  }
}
