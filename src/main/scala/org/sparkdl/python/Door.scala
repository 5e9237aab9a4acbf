package org.sparkdl.python

import java.util.{List => JList}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.{DataFrame, SparkSession}

import org.sparkdl.{Doctor, Version}
import org.sparkdl.image.ImageSchema

/** The one object that Python calls through py4j (`sparkdl._jvm.door`).
  *
  * For what has no stage form; stages are reached as pyspark.ml's wrappers do. Arguments and results are plain: text,
  * numbers, DataFrames, Columns and java.util collections.
  */
object Door {

  /** The version of the jar, which Python compares with its own. */
  def version(): String = Version.current

  /** `ImageSchema.readImages`. */
  def readImages(
      spark: SparkSession,
      paths: JList[String],
      recursive: Boolean,
      numPartitions: Int,
      dropImageFailures: Boolean,
      sampleRatio: Double,
      seed: Long
  ): DataFrame =
    ImageSchema.readImages(
      spark,
      paths.asScala.toSeq,
      recursive,
      numPartitions,
      dropImageFailures,
      sampleRatio,
      seed
    )

  /** `Doctor.examine`: rows of place, topic, value and remedy (empty when there is nothing to mend). */
  def doctor(spark: SparkSession): JList[Array[String]] = {
    val report = Doctor.examine(spark)
    val parts = ("session" -> report.session) +: (report.driver +: report.executors).map(m => m.name -> m.findings)
    parts.flatMap { case (place, findings) => findings.map(f => Array(place, f.topic, f.value, f.remedy)) }.asJava
  }
}
