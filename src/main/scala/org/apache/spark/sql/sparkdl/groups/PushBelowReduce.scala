package org.apache.spark.sql.sparkdl.groups

import org.apache.spark.sql.catalyst.expressions.{And, Expression}
import org.apache.spark.sql.catalyst.optimizer.PushPredicateThroughNonJoin
import org.apache.spark.sql.catalyst.plans.logical.{Filter, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.nodes.ReduceModel

/** Filters on keys go below the merge of the groups, as below Spark's own aggregates. */
object PushBelowReduce extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = plan.transformDown {
    case Filter(condition, model: ReduceModel) if onKeys(condition, model).nonEmpty =>
      val below = onKeys(condition, model)
      val above = Conditions.conjuncts(condition).filterNot(below.contains)
      // Spark's own rules have run: what stands below is passed here.
      val pushed = model.copy(child = PushPredicateThroughNonJoin(Filter(below.reduce(And), model.child)))
      above.reduceOption(And).fold[LogicalPlan](pushed)(Filter(_, pushed))
  }

  private def onKeys(condition: Expression, model: ReduceModel): Seq[Expression] =
    Conditions.conjuncts(condition).filter { c =>
      c.deterministic && c.references.nonEmpty && c.references.forall(r => model.keys.exists(_.exprId == r.exprId))
    }
}
