package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.Strategy
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, ReduceModel, TrimBlocks}

/** Plans the nodes that run models. */
object ModelStrategy extends Strategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case m: EvalModel =>
      val child = planLater(m.child)
      EvalModelExec(m.call, m.rejected, m.rowSource, m.outputs, m.error, m.carried, child, m.outputsFirst) :: Nil
    case t: TrimBlocks                    => TrimBlocksExec(t.call, t.outputs, planLater(t.child)) :: Nil
    case r: ReduceModel if r.keys.isEmpty => ReduceExec(r.reduction, r.inputs, r.outputs, planLater(r.child)) :: Nil
    case r: ReduceModel                   => AggregateExec.of(r, planLater(r.child)) :: Nil
    case _                                => Nil
  }
}
