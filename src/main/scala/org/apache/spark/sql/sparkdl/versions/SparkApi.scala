package org.apache.spark.sql.sparkdl.versions

import org.apache.hadoop.conf.Configuration
import org.apache.spark.{SPARK_VERSION, SparkContext}
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.catalyst.plans.physical.Distribution
import org.apache.spark.util.SerializableConfiguration

import org.sparkdl.Version

/** What of Spark's private API is known to differ between its minor versions. */
trait SparkApi {

  /** Hadoop's configuration on its way to the executors. */
  def broadcast(context: SparkContext, hadoop: Configuration): Broadcast[SerializableConfiguration]

  /** What the registry of a session calls a temporary function. */
  def temporaryFunction(name: String): FunctionIdentifier

  /** Rows with equal keys in one partition. */
  def clustered(keys: Seq[Expression]): Distribution

  /** The conditions that all have to be true. */
  def conjuncts(condition: Expression): Seq[Expression]

  /** The expression over the columns of a projection's child: what the projection computes is written out. */
  def replaceAliases(e: Expression, project: Project): Expression

  /** Whether the rows are few enough to be broadcast, as the session's settings have it. */
  def canBroadcast(plan: LogicalPlan): Boolean

  /** What commands that only some versions have keep with a table: constraints and defaults of columns. */
  def expressionsKept(command: LogicalPlan): Seq[Expression]

  /** The constraints, in SQL, of a table that a command makes. */
  def checkConstraints(command: LogicalPlan): Seq[String]
}

object SparkApi {

  /** Of the Spark that runs. Chosen once; the others are never loaded, for they would not link. */
  val current: SparkApi = {
    val name = s"${getClass.getPackageName}.Spark${implemented(SPARK_VERSION, Version.spark).replace(".", "")}"
    Class.forName(name, true, getClass.getClassLoader).getDeclaredConstructor().newInstance().asInstanceOf[SparkApi]
  }

  /** The minor version whose implementation serves a Spark: its own, else the newest before it, else the oldest.
    *
    * @param minors
    *   those that have an implementation, oldest first
    */
  private[versions] def implemented(spark: String, minors: Seq[String]): String =
    minors.filter(numbers(_) <= numbers(spark)).lastOption.getOrElse(minors.head)

  private def numbers(version: String): Int = {
    val Array(major, minor) = version.split("\\.").take(2).map(_.toInt)
    major * 1000 + minor
  }
}
