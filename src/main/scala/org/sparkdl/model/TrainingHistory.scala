package org.sparkdl.model

import java.math.MathContext

import scala.collection.immutable.ListMap
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.core.json.JsonReadFeature
import com.fasterxml.jackson.databind.json.JsonMapper

/** The losses of each epoch, which Python writes into the `source` of a bundle that it has trained. */
object TrainingHistory {

  /** The keys in `source`: a JSON object with a list of numbers per loss or metric; why training failed. */
  private[model] val Key = "history"
  private val Failure = "failure"

  // Python writes losses that are no numbers any more as NaN and Infinity.
  private val json = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build()

  /** The losses and metrics in the order in which they were written; empty when the model has none. */
  def of(model: ModelDefinition): Map[String, Seq[Double]] = {
    val written = model.source.get(Key).map(json.readTree).toSeq.flatMap(_.properties().asScala)
    ListMap.from(written.map(e => e.getKey -> e.getValue.asScala.map(_.asDouble).toSeq))
  }

  /** What a model is, how it was trained and what it reached, as text for people. */
  def summary(model: ModelDefinition): String = {
    val facts = model.source.removedAll(Seq(Key, Failure)).map { case (k, v) => s"  $k: $v" }
    (Seq(s"model '${model.name}'") ++ facts ++ reached(of(model))).mkString("\n")
  }

  /** How many epochs there were, and the numbers of the one with the least loss. */
  private def reached(history: Map[String, Seq[Double]]): Seq[String] =
    Seq("val_loss", "loss").find(history.get(_).exists(_.nonEmpty)).toSeq.flatMap { watched =>
      val losses = history(watched)
      val best = losses.indices.minBy(i => if (losses(i).isNaN) Double.PositiveInfinity else losses(i))
      val numbers = history.collect { case (name, values) if best < values.size => s"$name ${short(values(best))}" }
      Seq(
        s"trained for ${losses.size} epoch(s); least $watched in epoch ${best + 1}:",
        numbers.mkString("  ", ", ", "")
      )
    }

  private def short(number: Double): String =
    if (number.isNaN || number.isInfinite) number.toString
    else new java.math.BigDecimal(number).round(new MathContext(4)).stripTrailingZeros.toPlainString
}
