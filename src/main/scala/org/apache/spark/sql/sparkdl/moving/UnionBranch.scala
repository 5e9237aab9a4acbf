package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.nodes.RunsModel

/** A branch of a union as what it takes of other rows.
  *
  * @param plan
  *   the branch
  * @param list
  *   its columns, computed from `rows`
  * @param conditions
  *   which of them it keeps: those for which all are true
  * @param rows
  *   what it takes them of
  */
final private case class UnionBranch(
    plan: LogicalPlan,
    list: Seq[Expression],
    conditions: Seq[Expression],
    rows: LogicalPlan
) {

  /** Whether rows go through a model, the same ones with the same results each time. */
  def isShareable: Boolean = {
    val models = rows.collect { case m: RunsModel => m.call.application }
    models.nonEmpty && !models.exists(_.mayDraw) && rows.deterministic
  }

  /** The same on equal rows of another branch. */
  def on(others: LogicalPlan): UnionBranch = {
    val same = AttributeMap(rows.output.zip(others.output))
    def replace(e: Expression) = e.transform { case a: Attribute => same.getOrElse(a, a) }
    copy(list = list.map(replace), conditions = conditions.map(replace), rows = others)
  }

  /** Whether the branch keeps a row. */
  def keeps: Expression = conditions.reduceOption(And).getOrElse(Literal.TrueLiteral)

  /** The columns, without computing any of a row that the branch does not keep: its filter may be what makes it
    * possible.
    */
  def guarded: Seq[Expression] = list.map {
    case plain @ (_: Attribute | _: Literal) => plain
    case computed if conditions.isEmpty      => computed
    case computed                            => If(keeps, computed, Literal(null, computed.dataType))
  }
}

private object UnionBranch {

  def of(plan: LogicalPlan): UnionBranch = peel(UnionBranch(plan, plan.output, Nil, plan))

  private def peel(branch: UnionBranch): UnionBranch = branch.rows match {
    case p: Project if p.projectList.forall(_.deterministic) =>
      peel(
        branch.copy(
          list = branch.list.map(Conditions.writeOut(_, p)),
          conditions = branch.conditions.map(Conditions.writeOut(_, p)),
          rows = p.child
        )
      )
    case Filter(condition, child) if condition.deterministic =>
      peel(branch.copy(conditions = Conditions.conjuncts(condition) ++ branch.conditions, rows = child))
    case _ => branch
  }
}
