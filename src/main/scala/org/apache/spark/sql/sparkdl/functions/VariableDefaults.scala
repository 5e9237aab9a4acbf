package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.plans.logical.{CreateVariable, DefaultValueExpression, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall

/** Lets variables of a session have models in their defaults: `DECLARE VARIABLE v DEFAULT f(1)`. */
object VariableDefaults extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case create: CreateVariable if create.defaultExpr.exists(_.isInstanceOf[ModelCall]) =>
      // Not a copy, which has other parts in other versions of Spark.
      create.mapExpressions {
        case default: DefaultValueExpression => queryIn(default)
        case other                           => other
      }
    case other => other
  }

  private def queryIn(default: DefaultValueExpression): DefaultValueExpression =
    default.withNewChildren(Seq(QueryValue(default.child))).asInstanceOf[DefaultValueExpression]
}
