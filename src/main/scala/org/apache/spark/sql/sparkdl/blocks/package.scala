package org.apache.spark.sql.sparkdl

/** Bytes on their way to the executors, as blocks of Spark's block managers. */
package object blocks
