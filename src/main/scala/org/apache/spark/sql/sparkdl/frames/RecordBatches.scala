package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.rdd.RDD
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.classic.{Dataset => ClassicDataset}
import org.apache.spark.sql.internal.SQLConf

/** The rows of DataFrames as Arrow has them. */
object RecordBatches {

  /** Record batches with at most that many rows each, and an empty array at the end of each partition: on a full
    * disk, Spark may keep only the beginning of a partition and say nothing. The number is a setting of the session,
    * and it is set in a copy of the session: no other query sees it.
    */
  def of(df: DataFrame, rows: Int): RDD[Array[Byte]] = {
    val session = FramePlans.sessionOf(df).cloneSession()
    session.conf.set(SQLConf.ARROW_EXECUTION_MAX_RECORDS_PER_BATCH.key, rows.toString)
    ClassicDataset
      .ofRows(session, FramePlans.planOf(df))
      .toArrowBatchRdd
      .mapPartitions(_ ++ Iterator(Array.emptyByteArray))
  }
}
