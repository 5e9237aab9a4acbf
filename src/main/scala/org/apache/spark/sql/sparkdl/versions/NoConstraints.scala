package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan

/** Before Spark 4.1 tables have no constraints. */
private trait NoConstraints extends SparkApi {
  override def expressionsKept(command: LogicalPlan): Seq[Expression] = Nil
  override def checkConstraints(command: LogicalPlan): Seq[String] = Nil
}
