package org.sparkdl.testing

import java.util.concurrent.{CompletableFuture, TimeUnit}

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}
import org.apache.spark.sql.execution.{QueryExecution, SparkPlan}
import org.apache.spark.sql.execution.adaptive.AdaptiveSparkPlanHelper
import org.apache.spark.sql.sparkdl.execution.EvalModelExec
import org.apache.spark.sql.util.QueryExecutionListener

/** The model operators in a DataFrame's plan, and what they counted. */
trait Operators extends AdaptiveSparkPlanHelper {

  def operators(df: DataFrame): Seq[EvalModelExec] = operators(df.queryExecution.executedPlan)

  /** Including those of subqueries. */
  private def operators(plan: SparkPlan): Seq[EvalModelExec] =
    collectWithSubqueries(plan) { case e: EvalModelExec => e }

  def metric(df: DataFrame, name: String): Long = metric(df.queryExecution.executedPlan, name)

  private def metric(plan: SparkPlan, name: String): Long =
    operators(plan).map(_.metrics(name)).groupBy(_.id).values.map(_.head.value).sum

  /** What the operators counted in the one query that an action runs. */
  def metricOf(spark: SparkSession, name: String)(action: => Any): Long = {
    val executed = new CompletableFuture[SparkPlan]
    val listener = new QueryExecutionListener {
      override def onSuccess(function: String, query: QueryExecution, nanos: Long): Unit = {
        executed.complete(query.executedPlan); ()
      }
      override def onFailure(function: String, query: QueryExecution, e: Exception): Unit = {
        executed.completeExceptionally(e); ()
      }
    }
    val listeners = spark.asInstanceOf[ClassicSession].listenerManager
    listeners.register(listener)
    try { action; metric(executed.get(30, TimeUnit.SECONDS), name) }
    finally listeners.unregister(listener)
  }
}
