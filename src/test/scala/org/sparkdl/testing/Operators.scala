package org.sparkdl.testing

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.sparkdl.EvalModelExec

/** The model operators in a DataFrame's plan, and what they counted. */
trait Operators extends AdaptiveSparkPlanHelper {

  def operators(df: DataFrame): Seq[EvalModelExec] =
    collect(df.queryExecution.executedPlan) { case e: EvalModelExec => e }

  def metric(df: DataFrame, name: String): Long = operators(df).map(_.metrics(name).value).sum
}
