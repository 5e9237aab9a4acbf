package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.{AddCheckConstraint, CreateStreamingTable, LogicalPlan, TableSpec}
import org.apache.spark.sql.connector.catalog.constraints.Check

/** Since Spark 4.1 tables have constraints, and there are streaming tables. */
private trait Constraints extends SparkApi {
  override def expressionsKept(command: LogicalPlan): Seq[Expression] = command match {
    case add: AddCheckConstraint      => Seq(add.checkConstraint)
    case create: CreateStreamingTable => create.columns.flatMap(_.defaultValue).map(_.child)
    case _                            => Nil
  }

  override def checkConstraints(command: LogicalPlan): Seq[String] =
    command.productIterator.collect { case spec: TableSpec => spec.constraints }.toSeq.flatten.collect {
      case check: Check => check.predicateSql
    }
}
