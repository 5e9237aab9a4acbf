package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, AttributeMap, Expression}
import org.apache.spark.sql.catalyst.plans.logical._

/** Looks for a model call that is computed already. */
private object Available {

  /** A plan equal to `plan` that also outputs the results of `call`, if they are computed in it, and their
    * attributes.
    */
  def find(call: ModelCall, plan: LogicalPlan): Option[(LogicalPlan, Seq[Attribute])] = plan match {
    case e: EvalModel if e.error.isEmpty && e.rejected.isEmpty && same(e.call, call, e.child) => Some((e, e.outputs))
    case e: EvalModel =>
      find(call, e.child).map { case (child, found) =>
        (e.copy(carried = (e.carried ++ found).distinct, child = child), found)
      }
    case p: Project =>
      find(defined(call, p), p.child).map { case (child, found) =>
        val missing = found.filterNot(a => p.projectList.exists(_.exprId == a.exprId))
        (p.copy(projectList = p.projectList ++ missing, child = child), found)
      }
    case PassesRows(unary) =>
      find(defined(call, unary), unary.child).map { case (child, found) =>
        (unary.withNewChildren(Seq(child)), found)
      }
    case _ => None
  }

  /** Whether two calls give the same: their inputs are equal when everything that is computed in `below` is written
    * out. Spark evaluates a Python function above and below a filter that was pushed down, under two names.
    */
  private def same(a: ModelCall, b: ModelCall, below: LogicalPlan): Boolean =
    a.application == b.application && writtenOut(a, below).canonicalized == writtenOut(b, below).canonicalized

  private def writtenOut(call: ModelCall, below: LogicalPlan): ModelCall = below match {
    case unary @ (_: Project | _: EvalModel | PassesRows(_)) =>
      writtenOut(defined(call, unary), unary.asInstanceOf[UnaryNode].child)
    case _ => call
  }

  /** The call with the columns that `node` computes replaced by what they are computed from. */
  private def defined(call: ModelCall, node: LogicalPlan): ModelCall = {
    val known = definitions(node)
    if (known.isEmpty) call
    else call.transform { case a: Attribute => known.getOrElse(a, a) }.asInstanceOf[ModelCall]
  }

  /** Only what is deterministic: else two evaluations differ. */
  private def definitions(node: LogicalPlan): AttributeMap[Expression] = AttributeMap(node match {
    case p: Project        => p.projectList.collect { case a: Alias if a.deterministic => a.toAttribute -> a.child }
    case p: BaseEvalPython => p.resultAttrs.zip(p.udfs).filter(_._2.deterministic)
    case _                 => Nil
  })
}

/** Nodes that pass on all columns of their child, of rows that they do not change. */
private object PassesRows {
  def unapply(plan: LogicalPlan): Option[UnaryNode] = plan match {
    case node @ (_: Filter | _: Sort | _: LocalLimit | _: GlobalLimit | _: RepartitionOperation |
        _: BaseEvalPython) =>
      Some(node.asInstanceOf[UnaryNode])
    case _ => None
  }
}
