package org.sparkdl.model

import scala.jdk.CollectionConverters._
import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

import org.sparkdl.errors.ModelNotFoundException

/** A network that the stages know by name.
  *
  * @param name
  *   what `modelName` takes
  * @param height
  *   of the input in pixels
  * @param width
  *   of the input in pixels
  * @param features
  *   length of the features with pooling "avg" and "max"
  * @param featureMap
  *   height, width and channels of what pooling "none" flattens
  * @param channelOrder
  *   order of the channels that the bundle's graph takes
  * @param valueRange
  *   the range that the graph maps pixels of 0..255 to before the network sees them
  * @param weightsMB
  *   size of the weights with the classifier on top, in 10^6^ bytes
  * @param classes
  *   of the original classifier
  * @param resource
  *   folder in sparkdl's jar, for a network that comes with sparkdl; the others are Keras'
  */
final case class NamedModel(
    name: String,
    height: Int,
    width: Int,
    features: Int,
    featureMap: Seq[Int],
    channelOrder: String,
    valueRange: String,
    weightsMB: Double,
    classes: Int,
    resource: Option[String]
)

/** The named models: one table for Scala and Python, `python/sparkdl/resources/named_models.json`. */
object NamedModels {
  private val Table = "/org/sparkdl/named_models.json"

  /** All models, in the order of the table. */
  lazy val all: Seq[NamedModel] =
    Using
      .resource(getClass.getResourceAsStream(Table))(in => new ObjectMapper().readTree(in))
      .asScala
      .toVector
      .map(row)

  /** The model of that name, or an error that lists all names. */
  def fromName(name: String): NamedModel = all
    .find(_.name == name)
    .getOrElse(
      throw new ModelNotFoundException(
        s"There is no model named '$name'. Known names: ${all.map(_.name).mkString(", ")}."
      )
    )

  private def row(json: JsonNode): NamedModel = NamedModel(
    name = json.get("name").asText,
    height = json.get("height").asInt,
    width = json.get("width").asInt,
    features = json.get("features").asInt,
    featureMap = json.get("featureMap").asScala.map(_.asInt).toSeq,
    channelOrder = json.get("channelOrder").asText,
    valueRange = json.get("valueRange").asText,
    weightsMB = json.get("weightsMB").asDouble,
    classes = json.get("classes").asInt,
    resource = Option(json.get("resource")).filterNot(_.isNull).map(_.asText)
  )
}
