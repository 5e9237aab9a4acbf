package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.sql.{DataFrame, SparkSession}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.{Dataset => ClassicDataset, SparkSession => ClassicSession}

import org.sparkdl.errors.SparkDLException

/** The plans of DataFrames, and DataFrames of plans. */
private[sparkdl] object FramePlans {

  /** The session as one with plans; throws SparkDLException for one of Spark Connect. */
  def classic(session: SparkSession): ClassicSession = session match {
    case c: ClassicSession => c
    case _ =>
      throw new SparkDLException(
        "sparkdl runs inside the driver and needs a classic Spark session, not one of Spark Connect: start the session " +
          "with sparkdl.start() or spark-submit, without SPARK_REMOTE and spark.remote."
      )
  }

  def sessionOf(df: DataFrame): ClassicSession = classic(df.sparkSession)

  def planOf(df: DataFrame): LogicalPlan = df.asInstanceOf[ClassicDataset[_]].queryExecution.analyzed

  /** A DataFrame of another plan, in the same session. */
  def frameOf(df: DataFrame, plan: LogicalPlan): DataFrame = ClassicDataset.ofRows(sessionOf(df), plan)
}
