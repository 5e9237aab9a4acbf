package org.sparkdl.model

import java.math.MathContext

import scala.collection.immutable.ListMap
import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.core.json.JsonReadFeature
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.json.JsonMapper

import org.sparkdl.graph.Groups

/** The losses of each epoch, which Python writes into the `source` of a bundle that it has trained. */
object TrainingHistory {

  /** The keys in `source`: a JSON object with a list of numbers per loss or metric; why training failed. */
  private[model] val Key = "history"
  private val Failure = "failure"
  private val Shown = 8

  // Python writes losses that are not finite as NaN and Infinity.
  private val json = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build()

  /** The losses and metrics in the order in which they were written; empty when the model has none. A metric with
    * several results has an entry for each of them: "p[0]" and "p[1]", or "m[0][1]" of a matrix.
    */
  def of(model: ModelDefinition): Map[String, Seq[Double]] = {
    val numbers = recorded(model).flatMap { case (name, epochs) => epochs.flatMap(singleNumbers(name, _)) }
    val ofName = Groups.of(numbers)
    ListMap(numbers.map(_._1).distinct.map(name => name -> ofName(name)): _*)
  }

  /** The value of each metric in each epoch: a number or an array of numbers. */
  private def recorded(model: ModelDefinition): Seq[(String, Seq[JsonNode])] =
    model.source
      .get(Key)
      .map(json.readTree)
      .toSeq
      .flatMap(_.properties().asScala)
      .map(e => e.getKey -> e.getValue.asScala.toVector)

  private def singleNumbers(name: String, value: JsonNode): Seq[(String, Double)] =
    if (value.isArray) value.asScala.toVector.zipWithIndex.flatMap { case (v, i) => singleNumbers(s"$name[$i]", v) }
    else Seq(name -> value.asDouble)

  /** What a model is, how it was trained and how good it became, as text for people. */
  def summary(model: ModelDefinition): String = {
    val facts = (model.source -- Seq(Key, Failure)).map { case (k, v) => s"  $k: $v" }
    (Seq(s"model '${model.name}'") ++ facts ++ bestEpoch(recorded(model))).mkString("\n")
  }

  /** How many epochs there were, and the numbers of the one with the least loss. */
  private def bestEpoch(history: Seq[(String, Seq[JsonNode])]): Seq[String] =
    Seq("val_loss", "loss").find(w => history.exists(h => h._1 == w && h._2.nonEmpty)).toSeq.flatMap { watched =>
      val losses = history.find(_._1 == watched).toSeq.flatMap(_._2).map(_.asDouble)
      val best = losses.indices.minBy(i => if (losses(i).isNaN) Double.PositiveInfinity else losses(i))
      val numbers = history.collect { case (name, values) if best < values.size => display(name, values(best)) }
      Seq(
        s"trained for ${losses.size} epoch(s); least $watched in epoch ${best + 1}:",
        numbers.mkString("  ", ", ", "")
      )
    }

  /** The first numbers of a metric, as text. */
  private def display(name: String, value: JsonNode): String = {
    val numbers = singleNumbers(name, value)
    val more = if (numbers.size > Shown) Seq(s"... (${numbers.size} of $name)") else Nil
    (numbers.take(Shown).map { case (n, v) => s"$n ${short(v)}" } ++ more).mkString(", ")
  }

  private def short(number: Double): String =
    if (number.isNaN || number.isInfinite) number.toString
    else new java.math.BigDecimal(number).round(new MathContext(4)).stripTrailingZeros.toPlainString
}
