package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.SPARK_VERSION
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.plans.physical.Distribution
import org.apache.spark.sql.types.DataType
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

  /** Whether values of a type are equal only if their bytes are: there are collations since Spark 4.0. */
  def isEqualByBytes(kind: DataType): Boolean

  /** A command that declares a variable with its default changed; every other plan as it is. */
  def mapVariableDefault(command: LogicalPlan)(change: Expression => Expression): LogicalPlan

  /** What commands that only some versions have keep with a table (constraints and defaults of columns), or evaluate
    * without rows (arguments of procedures).
    */
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
    * SettingsException for a Spark that is older than all, or has another first number.
    *
    * @param minors
    *   those that have an implementation, oldest first
    */
  private[versions] def implemented(spark: String, minors: Seq[String]): String = {
    val served = minors.filter(minor => numbers(minor) <= numbers(spark) && major(minor) == major(spark))
    served.lastOption.getOrElse {
      throw new SettingsException(
        s"This Spark is $spark, and this jar of sparkdl ${Version.current} is for Spark ${Version.either(minors)}. Use " +
          "such a Spark, or sparkdl's jar for this one: sparkdl_2.13 is for Spark 4, sparkdl-spark3_2.12 and " +
          "sparkdl-spark3_2.13 are for Spark 3, with Scala 2.12 and 2.13."
      )
    }
  }

  private[versions] def untested(spark: String): String =
    s"sparkdl ${Version.current} is tested with Spark ${Version.either(Version.spark)}, and this Spark is $spark: what " +
      "works there is not known. If something fails, use a newer sparkdl, or a Spark that it is tested with."

  private def major(version: String): String = version.takeWhile(_ != '.')

  private def numbers(version: String): Int = {
    val Array(major, minor) = version.split("\\.").take(2).map(_.toInt)
    major * 1000 + minor
  }
}
