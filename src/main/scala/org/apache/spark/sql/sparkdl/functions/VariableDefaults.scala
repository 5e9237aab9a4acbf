package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.plans.logical.{CreateVariable, LogicalPlan}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall

/** Lets variables of a session have models in their defaults: `DECLARE VARIABLE v DEFAULT f(1)`. */
object VariableDefaults extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = plan match {
    case create: CreateVariable if create.defaultExpr.exists(_.isInstanceOf[ModelCall]) =>
      val default = create.defaultExpr
      create.copy(defaultExpr = default.copy(child = QueryValue(default.child)))
    case other => other
  }
}
