package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan

/** Spark 4.0, whose tables have no constraints. */
final private class Spark40 extends SparkApi with ShortNames with PlainArguments {
  override def expressionsKept(command: LogicalPlan): Seq[Expression] = Nil
  override def checkConstraints(command: LogicalPlan): Seq[String] = Nil
}
