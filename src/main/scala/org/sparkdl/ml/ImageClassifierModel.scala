package org.sparkdl.ml

import org.apache.spark.ml.Model
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}
import org.apache.spark.sql.SparkSession

import org.sparkdl.Sessions
import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.{InvalidModelException, SparkDLException}
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.ModelDefinition

/** A classifier of images that `ImageClassifierEstimator` (Python) has trained, with the history of its training.
  *
  * Input: Spark's image struct or encoded bytes, as for [[DeepImageFeaturizer]]. Output: the prediction (a double:
  * the label itself where labels are numbers, else its place among the sorted labels), the probabilities of all
  * classes (an MLlib dense vector, in the order of the sorted labels) and the label as text. A column whose name is
  * empty is left out. Null only with handleInvalid "keep".
  *
  * {{{
  * val model = ImageClassifierModel.load("/models/flowers")
  * model.transform(images).select("predictedLabel", "probability")
  * }}}
  */
class ImageClassifierModel(override val uid: String)
    extends Model[ImageClassifierModel]
    with FileModelStage
    with HasHistory {
  import ImageClassifierModel._

  def this() = this(Identifiable.randomUID("imageClassifierModel"))

  final val inputCol: Param[String] = new Param(
    this,
    "inputCol",
    "Name of the column of images: Spark's image struct, or encoded bytes such as the content of binaryFile."
  )

  final val modelFile: Param[String] =
    new Param(this, "modelFile", "The model: path of a bundle that ImageClassifierEstimator has written.")

  final val predictionCol: Param[String] = new Param(
    this,
    "predictionCol",
    "Name of the new column of predictions (double): the label where labels are numbers, else its place among the " +
      "sorted labels; empty: no such column."
  )

  final val probabilityCol: Param[String] = new Param(
    this,
    "probabilityCol",
    "Name of the new column of probabilities (vector), in the order of the sorted labels; empty: no such column."
  )

  final val predictedLabelCol: Param[String] = new Param(
    this,
    "predictedLabelCol",
    "Name of the new column of the most probable labels (string); empty: no such column."
  )

  final val scaleHint: Param[String] = new Param(
    this,
    "scaleHint",
    s"How images are resized to the model's input: ${ScaleHint.all.map(_.name).mkString(", ")}.",
    (hint: String) => { ScaleHint.fromName(hint); true }
  )

  setDefault(
    predictionCol -> "prediction",
    probabilityCol -> "probability",
    predictedLabelCol -> "predictedLabel",
    scaleHint -> ScaleHint.AreaAveraging.name
  )

  def getInputCol: String = $(inputCol)
  def setInputCol(value: String): this.type = set(inputCol, value)

  def getModelFile: String = $(modelFile)
  def setModelFile(value: String): this.type = set(modelFile, value)

  def getPredictionCol: String = $(predictionCol)
  def setPredictionCol(value: String): this.type = set(predictionCol, value)

  def getProbabilityCol: String = $(probabilityCol)
  def setProbabilityCol(value: String): this.type = set(probabilityCol, value)

  def getPredictedLabelCol: String = $(predictedLabelCol)
  def setPredictedLabelCol(value: String): this.type = set(predictedLabelCol, value)

  def getScaleHint: String = $(scaleHint)
  def setScaleHint(value: String): this.type = set(scaleHint, value)

  override def copy(extra: ParamMap): ImageClassifierModel =
    defaultCopy[ImageClassifierModel](extra).setParent(parent)

  /** The labels as text, in the order of the probabilities. */
  def labels: Seq[String] = findModel(Sessions.current).labels.getOrElse(Nil).map(_._2)

  override private[ml] def modelParam: Param[String] = modelFile

  override protected def checkInputs(columns: Columns): Unit = columns.requireImages(required(inputCol))

  override private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall = {
    val image = model.image.filter(_ => model.inputs.size == 1).getOrElse(throw noClassifier(model))
    if (namedOutputs.isEmpty)
      throw new SparkDLException(
        s"$label: predictionCol, probabilityCol and predictedLabelCol are all empty; name one of them."
      )
    val outputs = namedOutputs.map { case (param, output) => ($(param), column(model, output)) }
    StageCall(model, Seq(required(inputCol) -> model.input(image.input)), outputs, $(scaleHint))
  }

  override protected def outputParam(column: String): String =
    namedOutputs.collectFirst { case (param, _) if $(param) == column => param.name }.getOrElse(predictionCol.name)

  /** The params whose columns have a name, with the outputs that become these columns. */
  private def namedOutputs: Seq[(Param[String], String)] =
    Seq((predictionCol, Prediction), (probabilityCol, Probabilities), (predictedLabelCol, Label)).filter {
      case (param, _) => $(param).nonEmpty
    }

  private def column(model: ModelDefinition, output: String): OutputColumn = {
    val spec = model.outputs.find(_.name == output).getOrElse(throw noClassifier(model))
    if (output == Probabilities) OutputColumn.vector(spec) else OutputColumn.nested(model, spec)
  }

  private def noClassifier(model: ModelDefinition) = new InvalidModelException(
    s"$label: '${model.name}' is not a model of ImageClassifierEstimator: expected one input of images and the outputs " +
      s"$Prediction, $Probabilities and $Label, got ${model.inputs.mkString("; ")} and ${model.outputs.mkString("; ")}. " +
      "For other classifiers, DeepImagePredictor gives the probabilities."
  )

  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object ImageClassifierModel extends DefaultParamsReadable[ImageClassifierModel] {
  private val Prediction = "prediction"
  private val Probabilities = "predictions" // as the named networks call them, so that DeepImagePredictor takes them
  private val Label = "label"

  override def read: MLReader[ImageClassifierModel] = new StageReader(super.read)
  override def load(path: String): ImageClassifierModel = super.load(path)
}
