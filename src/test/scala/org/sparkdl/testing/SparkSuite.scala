package org.sparkdl.testing

import java.io.File

import org.apache.commons.io.FileUtils
import org.apache.spark.sql.SparkSession
import org.scalatest.funsuite.AnyFunSuite

/** A suite with the one Spark session of the test JVM. */
trait SparkSuite extends AnyFunSuite {
  lazy val spark: SparkSession = SparkSuite.session
}

object SparkSuite {
  private val warehouse = "target/test-warehouse"

  private[testing] lazy val session: SparkSession = {
    FileUtils.deleteDirectory(new File(warehouse)) // what a run that was stopped has left
    start()
  }

  private def start(): SparkSession = SparkSession
    .builder()
    .master("local[2]")
    .appName("sparkdl tests")
    .config("spark.ui.enabled", "false")
    .config("spark.sql.shuffle.partitions", "3")
    // Each sort and aggregation takes a page: by default up to 64 MB for however few rows.
    .config("spark.buffer.pageSize", "256k")
    .config("spark.sql.warehouse.dir", warehouse)
    .getOrCreate()
}
