package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.expressions.{ApplyFunctionExpression, Expression}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule

/** Makes model calls of the functions of a catalog. */
object PlanCatalogFunctions extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan.transformAllExpressions(toCall)

  /** The same within Spark's analysis, which wants it done so. */
  def whileAnalyzing(plan: LogicalPlan): LogicalPlan = plan.resolveExpressions(toCall)

  private val toCall: PartialFunction[Expression, Expression] = {
    case ApplyFunctionExpression(f: CatalogFunction, arguments) => f(arguments).replacement
  }
}
