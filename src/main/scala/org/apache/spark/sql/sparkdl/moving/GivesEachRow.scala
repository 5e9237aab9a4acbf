package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.plans.logical.{BaseEvalPython, LogicalPlan, UnaryNode}
import org.apache.spark.sql.sparkdl.nodes.EvalModel

/** Nodes that give one row for each row of their child, whatever the others are. */
private object GivesEachRow {
  def unapply(plan: LogicalPlan): Option[UnaryNode] = plan match {
    case m: EvalModel if m.byRow && m.keepsRows              => Some(m)
    case p: BaseEvalPython if p.udfs.forall(_.deterministic) => Some(p)
    case _                                                   => None
  }
}
