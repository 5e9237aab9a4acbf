package org.sparkdl.ml

import java.util.{Map => JMap}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.SparkSession

import org.sparkdl.model.ModelDefinition

/** A stage on any graph, whose placeholders that no column feeds can be given values. */
trait HasConstants extends FileModelStage {

  final val constants: SortedMapParam[Any] = new SortedMapParam(
    this,
    "constants",
    "Values of placeholders and inputs that no column feeds, by name: booleans, numbers, texts, or lists of them."
  )

  def getConstants: JMap[String, Any] = $(constants)

  protected def constantValues: Map[String, Any] = get(constants).fold(Map.empty[String, Any])(_.asScala.toMap)

  /** What is saved is the original graph: the param, which is saved as well, sets the constants again. */
  override private[ml] def savedModel(session: SparkSession): ModelDefinition = {
    val bound = findModel(session)
    val original = modelAt(session, readOptions.copy(constants = Map.empty))
    bound.copy(graph = original.graph, inputs = original.inputs)
  }
}

private object HasConstants {

  /** The values with Java's lists in them, sorted by name. */
  def plain(values: scala.collection.Map[String, Any]): JMap[String, Any] =
    SortedMapParam.sorted(values.map { case (name, value) => name -> list(value) })

  private def list(value: Any): Any = value match {
    case items: Seq[_]   => items.map(list).asJava
    case items: Array[_] => items.toSeq.map(list).asJava
    case number: BigInt  => number.bigInteger
    case other           => other
  }
}
