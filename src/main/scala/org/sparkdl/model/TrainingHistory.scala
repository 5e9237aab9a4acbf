package org.sparkdl.model

import scala.collection.immutable.ListMap
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.core.json.JsonReadFeature
import com.fasterxml.jackson.databind.json.JsonMapper

/** The losses of each epoch, which Python writes into the `source` of a bundle that it has trained. */
object TrainingHistory {

  /** The key in `source`: a JSON object with a list of numbers per loss or metric. */
  private[model] val Key = "history"

  // Python writes losses that are no numbers any more as NaN and Infinity.
  private val json = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build()

  /** The losses and metrics in the order in which they were written; empty when the model has none. */
  def of(model: ModelDefinition): Map[String, Seq[Double]] = {
    val written = model.source.get(Key).map(json.readTree).toSeq.flatMap(_.properties().asScala)
    ListMap.from(written.map(e => e.getKey -> e.getValue.asScala.map(_.asDouble).toSeq))
  }
}
