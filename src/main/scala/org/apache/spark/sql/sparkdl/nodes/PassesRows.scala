package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.catalyst.plans.logical._

/** Nodes that pass on all columns of their child, of rows that they do not change. */
private[sparkdl] object PassesRows {
  def unapply(plan: LogicalPlan): Option[UnaryNode] = plan match {
    case node @ (_: Filter | _: Sort | _: LocalLimit | _: GlobalLimit | _: RepartitionOperation |
        _: BaseEvalPython) =>
      Some(node.asInstanceOf[UnaryNode])
    case _ => None
  }
}
