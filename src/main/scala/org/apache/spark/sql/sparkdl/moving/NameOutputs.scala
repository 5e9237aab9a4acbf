package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, ExprId, NamedExpression}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, ReduceModel, TrimBlocks}

/** Gives outputs the ids that a projection above gives them, when that is all it does. Such a projection is left
  * where a DataFrame stands twice in a query; without it both are equal for Spark, which reuses what it has shuffled.
  */
object NameOutputs extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = plan.transformUp {
    case Project(list, m: EvalModel) if onlyNames(list, m) =>
      m.copy(outputs = m.outputs.map(named(list)), error = m.error.map(named(list)))
    case Project(list, t: TrimBlocks) if onlyNames(list, t)  => t.copy(outputs = t.outputs.map(named(list)))
    case Project(list, r: ReduceModel) if onlyNames(list, r) => r.copy(outputs = r.outputs.map(named(list)))
  }

  private def onlyNames(list: Seq[NamedExpression], node: LogicalPlan): Boolean =
    list.size == node.output.size && list.zip(node.output).forall {
      case (Alias(a: Attribute, _), column) => a.exprId == column.exprId && node.producedAttributes.contains(a)
      case (column, same)                   => column.exprId == same.exprId
    }

  private def named(list: Seq[NamedExpression]): Attribute => Attribute = {
    val names: Map[ExprId, Attribute] = list.collect { case a @ Alias(output: Attribute, _) =>
      output.exprId -> a.toAttribute
    }.toMap
    output => names.getOrElse(output.exprId, output)
  }
}
