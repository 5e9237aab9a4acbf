package org.sparkdl.model

import com.fasterxml.jackson.databind.ObjectMapper

/** What an output of a model says of a row. Python writes it into the `source` of a bundle, as far as Keras' layers
  * and losses tell (`_models/meanings.py`).
  */
sealed abstract class Meaning(val name: String) extends Serializable

object Meaning {

  /** One number, or several that are not about classes. */
  case object Number extends Meaning("number")
  case object Numbers extends Meaning("numbers")

  /** One number for two classes: the probability of the second, or its logit. */
  case object Probability extends Meaning("probability")
  case object Logit extends Meaning("logit")

  /** A number per class, of which one is right. */
  case object Probabilities extends Meaning("probabilities")
  case object Logits extends Meaning("logits")

  /** A probability per class, of which any number may be right. */
  case object Independent extends Meaning("independent")

  private val all = Seq(Number, Numbers, Probability, Logit, Probabilities, Logits, Independent)
  private val Key = "predicts"
  private val json = new ObjectMapper()

  /** The entries of a bundle's `source` that say what outputs mean. */
  def recorded(meanings: Map[String, Meaning]): Map[String, String] = {
    val names = json.createObjectNode()
    meanings.foreach { case (output, meaning) => names.put(output, meaning.name) }
    Map(Key -> names.toString)
  }

  /** What is known of an output, by its name. */
  def of(model: ModelDefinition, output: String): Option[Meaning] = model.source
    .get(Key)
    .map(json.readTree(_).path(output).asText)
    .flatMap(name => all.find(_.name == name))
}
