package org.sparkdl.ml

import org.apache.spark.ml.attribute.{AttributeGroup, NominalAttribute}
import org.apache.spark.sql.types.Metadata

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.model.{Meaning, ModelDefinition}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.{CellReader, TensorSpec}

/** The columns that Spark ML's evaluators take, made of one output of a model (docs/keras-on-tables.md has the
  * rules).
  *
  * @param stage
  *   what messages call the stage
  * @param thresholds
  *   one per class, or none
  */
final private[ml] class Predictions(
    stage: String,
    model: ModelDefinition,
    spec: TensorSpec,
    thresholds: Option[Seq[Double]]
) {

  /** The numbers of a row; None where the graph leaves them open. */
  private val size: Option[Int] = spec.cell.collect {
    case Seq()            => 1
    case Seq(n) if n >= 0 => n.toInt
  }

  private val meaning: Meaning = Meaning
    .of(model, spec.name)
    .orElse(if (size.contains(1) && spec.dtype != DType.Str) Some(Meaning.Number) else None)
    .filter(m => m != Meaning.Numbers && m != Meaning.Independent)
    .getOrElse(refuse(s"${what(Meaning.of(model, spec.name))}. $remedy"))

  private val classes: Int = meaning match {
    case Meaning.Number                      => 0
    case Meaning.Probability | Meaning.Logit => 2
    case _                                   => size.getOrElse(refuse(s"its number of classes is unknown. $remedy"))
  }

  for (t <- thresholds if classes > 0 && t.size != classes)
    refuse(s"there are $classes classes and ${t.size} thresholds. Set thresholds to one per class.")

  /** The column that a param of [[HasPredictions]] names. */
  def column(param: String, name: String): OutputColumn = param match {
    case "predictionCol" if classes == 0 => OutputColumn(spec, NumberReader(spec.dtype))
    case _ if classes == 0 =>
      refuse(s"it is a number and says nothing of classes, which $param needs. Leave $param unset. $meaningRemedy")
    case "predictionCol"     => OutputColumn(spec, index, nominal(name))
    case "predictedLabelCol" => OutputColumn(spec, LabelReader(index, labels), Metadata.empty)
    case "probabilityCol"    => vector(ProbabilitiesReader(spec.dtype, meaning), name)
    case _                   => vector(RawReader(spec.dtype, meaning), name)
  }

  private def index = ClassReader(spec.dtype, meaning, thresholds.getOrElse(Nil))

  private def vector(reader: CellReader, name: String): OutputColumn =
    OutputColumn(spec, reader, new AttributeGroup(name, classes).toMetadata())

  private def nominal(name: String): Metadata = {
    val attribute = NominalAttribute.defaultAttr.withName(name)
    knownLabels.fold(attribute.withNumValues(classes))(l => attribute.withValues(l.toArray)).toMetadata()
  }

  private def labels: Seq[String] = knownLabels.getOrElse(
    refuse(
      s"the model has ${model.labels.fold("no labels")(l => s"${l.size} labels for $classes classes")}, which " +
        "predictedLabelCol needs. Train it on a column of strings, give save_bundle labels=, or leave it unset."
    )
  )

  private def knownLabels: Option[Seq[String]] = model.labels.map(_.map(_._2)).filter(_.size == classes)

  private def what(known: Option[Meaning]): String = known match {
    case Some(Meaning.Numbers)     => "it has several numbers per row that are no classes"
    case Some(Meaning.Independent) => "any number of its classes may be right for a row, and not one of them"
    case _                         => "nothing says what its numbers mean"
  }

  private def remedy = s"Take its numbers from outputCol, or set predictionOutput to another output. $meaningRemedy"

  private def meaningRemedy =
    "What an output means is known of Keras models that end in softmax or sigmoid, are compiled with a loss of Keras, or " +
      "were trained by KerasEstimator."

  private def refuse(why: String): Nothing = throw new SchemaMismatchException(
    s"$stage: output '${spec.name}' of model '${model.name}' (${spec.typeString}) gives no such predictions: $why"
  )
}
