package org.apache.spark.sql.sparkdl

/** What differs between versions of Spark, behind one trait that each minor version implements.
  *
  * The implementations lie in a source folder per minor version, `src/main/scala-spark-<version>`.
  */
package object versions
