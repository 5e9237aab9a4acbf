package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.plans.logical.{CreateVariable, DefaultValueExpression, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall

/** Lets variables of a session have models in their defaults: `DECLARE VARIABLE v DEFAULT f(1)`. */
object VariableDefaults extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case create: CreateVariable if create.defaultExpr.exists(_.isInstanceOf[ModelCall]) =>
      create.copy(defaultExpr = queryIn(create.defaultExpr))
    case other => other
  }

  /** Not a copy, which versions of Spark make of different parts. */
  private def queryIn(default: DefaultValueExpression): DefaultValueExpression =
    default.withNewChildren(Seq(QueryValue(default.child))).asInstanceOf[DefaultValueExpression]
}
