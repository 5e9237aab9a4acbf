package org.apache.spark.sql.sparkdl.lifting

import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, AttributeMap, Expression}
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, PassesRows}

/** Looks for a model call that is computed already. */
private object Available {

  /** A plan equal to `plan` that also outputs the results of `call`, if they are computed in it, and their
    * attributes.
    */
  def find(call: ModelCall, plan: LogicalPlan): Option[(LogicalPlan, Seq[Attribute])] = plan match {
    case e: EvalModel if e.error.isEmpty && e.rejected.isEmpty && giveTheSame(e.call, call, e.child) =>
      Some((e, e.outputs))
    case e: EvalModel =>
      find(call, e.child).map { case (child, attributes) =>
        (e.copy(carried = (e.carried ++ attributes).distinct, child = child), attributes)
      }
    case p: Project =>
      find(writeOut(call, p), p.child).map { case (child, attributes) =>
        val missing = attributes.filterNot(a => p.projectList.exists(_.exprId == a.exprId))
        (p.copy(projectList = p.projectList ++ missing, child = child), attributes)
      }
    case PassesRows(unary) =>
      find(writeOut(call, unary), unary.child).map { case (child, attributes) =>
        (unary.withNewChildren(Seq(child)), attributes)
      }
    case _ => None
  }

  /** Whether two calls give the same: their inputs are equal when everything that is computed in `below` is written
    * out. Spark evaluates a Python function above and below a filter that was pushed down, under two names.
    */
  private def giveTheSame(a: ModelCall, b: ModelCall, below: LogicalPlan): Boolean =
    a.application == b.application && writeOutAll(a, below).canonicalized == writeOutAll(b, below).canonicalized

  private def writeOutAll(call: ModelCall, below: LogicalPlan): ModelCall = below match {
    case unary @ (_: Project | _: EvalModel | PassesRows(_)) =>
      writeOutAll(writeOut(call, unary), unary.asInstanceOf[UnaryNode].child)
    case _ => call
  }

  /** The call with the columns that `node` computes replaced by what they are computed from. */
  private def writeOut(call: ModelCall, node: LogicalPlan): ModelCall = {
    val definitionOf = definitions(node)
    if (definitionOf.isEmpty) call
    else call.transform { case a: Attribute => definitionOf.getOrElse(a, a) }.asInstanceOf[ModelCall]
  }

  /** Only what is deterministic: else two evaluations differ. */
  private def definitions(node: LogicalPlan): AttributeMap[Expression] = AttributeMap(node match {
    case p: Project        => p.projectList.collect { case a: Alias if a.deterministic => a.toAttribute -> a.child }
    case p: BaseEvalPython => p.resultAttrs.zip(p.udfs).filter(_._2.deterministic)
    case _                 => Nil
  })
}
