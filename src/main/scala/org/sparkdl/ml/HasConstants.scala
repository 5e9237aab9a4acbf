package org.sparkdl.ml

import java.util.{Map => JMap, TreeMap}

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper
import org.apache.spark.ml.param.{Param, Params}
import org.apache.spark.sql.SparkSession

import org.sparkdl.model.ModelDefinition

/** A stage on any graph, whose placeholders that no column feeds can be given values. */
trait HasConstants extends FileModelStage {

  final val constants: ConstantsParam = new ConstantsParam(
    this,
    "constants",
    "Values of placeholders and inputs that no column feeds, by name: booleans, numbers, texts, or lists of them."
  )

  def getConstants: JMap[String, Any] = $(constants)

  protected def constantValues: Map[String, Any] = get(constants).fold(Map.empty[String, Any])(_.asScala.toMap)

  /** What is saved is the graph as it was given: the param, which is saved as well, makes the constants again. */
  override private[ml] def savedModel(session: SparkSession): ModelDefinition = {
    val read = findModel(session)
    val given_ = modelAt(session, readOptions.copy(constants = Map.empty))
    read.copy(graph = given_.graph, inputs = given_.inputs)
  }
}

/** A param of values by name: booleans, numbers, texts or nested lists of them, which Java and Python can set. */
final class ConstantsParam(parent: Params, name: String, doc: String)
    extends Param[JMap[String, Any]](parent, name, doc, (_: JMap[String, Any]) => true) {

  override def jsonEncode(value: JMap[String, Any]): String = ConstantsParam.json.writeValueAsString(value)

  override def jsonDecode(json: String): JMap[String, Any] =
    ConstantsParam.json.readValue(json, classOf[TreeMap[String, Any]])
}

private[ml] object ConstantsParam {
  private val json = new ObjectMapper() // NaN and infinities become texts, which the values are read from as well

  /** The values with Java's lists in them, sorted by name. */
  def plain(values: scala.collection.Map[String, Any]): JMap[String, Any] = {
    val map = new TreeMap[String, Any]()
    values.foreach { case (name, value) => map.put(name, list(value)) }
    map
  }

  private def list(value: Any): Any = value match {
    case items: Seq[_]   => items.map(list).asJava
    case items: Array[_] => items.toSeq.map(list).asJava
    case number: BigInt  => number.bigInteger
    case other           => other
  }
}
