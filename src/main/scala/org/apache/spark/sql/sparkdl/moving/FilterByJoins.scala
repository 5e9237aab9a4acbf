package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.optimizer.PushDownLeftSemiAntiJoin
import org.apache.spark.sql.catalyst.planning.ExtractEquiJoinKeys
import org.apache.spark.sql.catalyst.plans._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, RunsModel}

/** Leaves out, before a model, the rows that a join above it drops, where the model cannot move above the join since
  * that may repeat rows: a left semi join with the join's other side goes below the model. Both joins take the other
  * side from the same exchange, where Spark reuses exchanges.
  */
object FilterByJoins extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (plan.isStreaming || !plan.exists(_.isInstanceOf[EvalModel])) plan
    else plan.transformDown { case j: Join if j.condition.nonEmpty => filter(j) }

  private def filter(j: Join): Join = j.joinType match {
    case Inner      => filterRight(filterLeft(j))
    case RightOuter => filterLeft(j)
    case LeftSemi   => filterLeft(j)
    case LeftOuter  => filterRight(j)
    case _          => j
  }

  private def filterLeft(j: Join): Join =
    new MatchingRows(j.right, j.hint.rightHint).of(j.left, j.condition.get).fold(j)(l => j.copy(left = l))

  private def filterRight(j: Join): Join =
    new MatchingRows(j.left, j.hint.leftHint).of(j.right, j.condition.get).fold(j)(r => j.copy(right = r))
}

/** Rows that have a match among others.
  *
  * @param hint
  *   what a user says of the others in the join
  */
private class MatchingRows(others: LogicalPlan, hint: Option[HintInfo]) {

  /** The plan with the rows that have no match left out before models; nothing when that is not possible, or not
    * known to be worthwhile.
    */
  def of(plan: LogicalPlan, condition: Expression): Option[LogicalPlan] =
    if (!runsModel(plan) || !canBeEvaluatedTwice) None
    else below(plan, Conditions.conjuncts(condition).filter(_.deterministic))

  private def canBeEvaluatedTwice: Boolean = others.deterministic && !others.exists(_.isInstanceOf[RunsModel])

  private def runsModel(plan: LogicalPlan): Boolean = plan match {
    case _: EvalModel                                        => true
    case node @ (_: Project | _: Filter | _: BaseEvalPython) => runsModel(node.children.head)
    case _                                                   => false
  }

  private def below(plan: LogicalPlan, conditions: Seq[Expression]): Option[LogicalPlan] = plan match {
    case m: EvalModel if m.byRow                             => belowRow(m, conditions)
    case p: BaseEvalPython if p.udfs.forall(_.deterministic) => belowRow(p, conditions)
    case p: Project if p.projectList.forall(_.deterministic) =>
      below(p.child, conditions.map(Conditions.writeOut(_, p))).map(c => p.copy(child = c))
    case f: Filter if f.condition.deterministic => below(f.child, conditions).map(c => f.copy(child = c))
    case _                                      => None
  }

  private def belowRow(row: UnaryNode, conditions: Seq[Expression]): Option[LogicalPlan] = {
    val known = conditions.filter(c => (c.references -- others.outputSet).subsetOf(row.child.outputSet))
    below(row.child, known).orElse(matching(row.child, known)).map(c => row.withNewChildren(Seq(c)))
  }

  private def matching(rows: LogicalPlan, conditions: Seq[Expression]): Option[LogicalPlan] =
    conditions
      .reduceOption(And)
      .map(c => Join(rows, others, LeftSemi, Some(c), JoinHint(None, hint.filter(_ => isBroadcast))))
      .filter { semi =>
        ExtractEquiJoinKeys.unapply(semi).isDefined && rows.outputSet.intersect(others.outputSet).isEmpty &&
        !isFiltered(rows) && (isBroadcast || isSmall || keepsFew(semi))
      }

  /** Few enough rows to be broadcast. Asked of a rule of Spark's that has the trait with the method, which is not the
    * same trait in all versions.
    */
  private def isSmall: Boolean = PushDownLeftSemiAntiJoin.canBroadcastBySize(others, SQLConf.get)

  private def isBroadcast: Boolean = hint.exists(_.strategy.contains(BROADCAST))

  /** Rules run until nothing changes. */
  private def isFiltered(rows: LogicalPlan): Boolean = rows.exists {
    case Join(_, right, LeftSemi, _, _) => right.canonicalized == others.canonicalized
    case _                              => false
  }

  /** Whether statistics of the tables (ANALYZE TABLE ... FOR COLUMNS, `spark.sql.cbo.enabled`) say that the join has
    * at most half as many rows as it is given.
    */
  private def keepsFew(semi: Join): Boolean =
    (semi.left.stats.rowCount, semi.copy(joinType = Inner).stats.rowCount) match {
      case (Some(all), Some(joined)) => joined * 2 <= all
      case _                         => false
    }
}
