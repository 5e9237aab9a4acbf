package org.sparkdl.testing

import org.apache.spark.sql.{Encoder, SparkSession}
import org.apache.spark.sql.execution.streaming

/** Streams of rows in memory, which belong to a context of SQL before Spark 4. */
object SparkStreams {
  object MemoryStream {
    def apply[A: Encoder](implicit session: SparkSession): streaming.MemoryStream[A] =
      streaming.MemoryStream[A](implicitly[Encoder[A]], session.sqlContext)

    def apply[A: Encoder](partitions: Int)(implicit session: SparkSession): streaming.MemoryStream[A] =
      streaming.MemoryStream[A](partitions)(implicitly[Encoder[A]], session.sqlContext)
  }
}
