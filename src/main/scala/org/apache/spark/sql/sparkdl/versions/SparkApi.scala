package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.SPARK_VERSION
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.plans.physical.Distribution
import org.apache.spark.storage.{BlockId, BlockManager}
import org.apache.spark.util.io.ChunkedByteBuffer
import org.slf4j.LoggerFactory

import org.sparkdl.Version
import org.sparkdl.errors.SettingsException

/** What of Spark's private API is known to differ between its minor versions. */
trait SparkApi {

  /** What the registry of a session calls a temporary function. */
  def temporaryFunction(name: String): FunctionIdentifier

  /** Rows with equal keys in one partition. */
  def clustered(keys: Seq[Expression]): Distribution

  /** Keeps a block on the disk of this process, and tells the driver. */
  def putOnDisk(manager: BlockManager, id: BlockId, bytes: ChunkedByteBuffer): Unit

  /** What commands that only some versions have keep with a table: constraints and defaults of columns. */
  def expressionsKept(command: LogicalPlan): Seq[Expression]

  /** The constraints, in SQL, of a table that a command makes. */
  def checkConstraints(command: LogicalPlan): Seq[String]
}

object SparkApi {

  /** Of the Spark that runs. Chosen once; the others are never loaded, for they would not link. */
  val current: SparkApi = {
    val minor = implemented(SPARK_VERSION, Version.spark)
    if (!SPARK_VERSION.startsWith(s"$minor."))
      LoggerFactory.getLogger(classOf[SparkApi]).warn(untested(SPARK_VERSION))
    val name = s"${getClass.getPackageName}.Spark${minor.replace(".", "")}"
    Class.forName(name, true, getClass.getClassLoader).getDeclaredConstructor().newInstance().asInstanceOf[SparkApi]
  }

  /** The minor version whose implementation serves a Spark: its own, else the newest before it. Throws
    * SettingsException for a Spark that is older than all.
    *
    * @param minors
    *   those that have an implementation, oldest first
    */
  private[versions] def implemented(spark: String, minors: Seq[String]): String =
    minors.filter(numbers(_) <= numbers(spark)).lastOption.getOrElse {
      throw new SettingsException(
        s"This Spark is $spark, and sparkdl ${Version.current} needs ${minors.head} or newer: use Spark " +
          s"${Version.either(minors)}, which it is tested with."
      )
    }

  private[versions] def untested(spark: String): String =
    s"sparkdl ${Version.current} is tested with Spark ${Version.either(Version.spark)}, and this Spark is $spark: what " +
      "works there is not known. If something fails, use a newer sparkdl, or a Spark that it is tested with."

  private def numbers(version: String): Int = {
    val Array(major, minor) = version.split("\\.").take(2).map(_.toInt)
    major * 1000 + minor
  }
}
