package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.types.DataType

/** Spark 3.5, which has neither collations nor variables. */
final private class Spark35 extends SparkApi with ShortNames with PlainArguments with NoConstraints {
  override def isEqualByBytes(kind: DataType): Boolean = true
  override def mapVariableDefault(command: LogicalPlan)(change: Expression => Expression): LogicalPlan = command
}
