package org.apache.spark.sql.sparkdl.installing

import org.apache.spark.sql.catalyst.expressions.SubqueryExpression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.catalyst.trees.TreePattern.PLAN_EXPRESSION
import org.apache.spark.sql.sparkdl.functions.PlanCatalogFunctions
import org.apache.spark.sql.sparkdl.lifting.LiftModelCalls

/** Applies all rules to runtime filters: Spark makes them of parts of a plan, as subqueries that do not go through
  * its optimizer again.
  */
object RuntimeFilters extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    PlanCatalogFunctions(plan).transformAllExpressionsWithPruning(_.containsPattern(PLAN_EXPRESSION)) {
      case subquery: SubqueryExpression =>
        val part = PlanCatalogFunctions(subquery.plan)
        if (part.exists(LiftModelCalls.hasCall))
          subquery.withNewPlan(OperatorInstallation.rules.foldLeft(part)((done, rule) => rule(done)))
        else subquery
    }
}
