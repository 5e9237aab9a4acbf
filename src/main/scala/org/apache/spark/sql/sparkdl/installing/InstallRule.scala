package org.apache.spark.sql.sparkdl.installing

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.Operator
import org.apache.spark.sql.sparkdl.functions.PlanCatalogFunctions

/** Installs the operator into a session at its first query; the session is not complete when its rules are made. The
  * functions of a catalog become model calls here already, before Spark evaluates them on constants.
  */
case class InstallRule(session: SparkSession) extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = {
    Operator.install(session)
    PlanCatalogFunctions.whileAnalyzing(plan)
  }
}
