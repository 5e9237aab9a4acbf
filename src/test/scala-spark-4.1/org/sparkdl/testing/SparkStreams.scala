package org.sparkdl.testing

import org.apache.spark.sql.execution.streaming.runtime

/** Streams of rows in memory, whose package is another in other versions of Spark. */
object SparkStreams {
  val MemoryStream: runtime.MemoryStream.type = runtime.MemoryStream
}
