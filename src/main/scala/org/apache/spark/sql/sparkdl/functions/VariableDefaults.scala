package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.versions.SparkApi

/** Lets variables of a session have models in their defaults: `DECLARE VARIABLE v DEFAULT f(1)`. */
object VariableDefaults extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = SparkApi.current.mapVariableDefault(plan) { default =>
    if (default.exists(_.isInstanceOf[ModelCall])) QueryValue(default) else default
  }
}
