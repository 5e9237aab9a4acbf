package org.sparkdl.ml

import org.apache.spark.ml.param.{BooleanParam, IntParam, Param}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types.DataType

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException}
import org.sparkdl.model.{Labels, ModelDefinition, NamedModels}
import org.sparkdl.tensor.TensorSpec

/** Predicts the classes of images with a network that has its classifier on top.
  *
  * Input: as for [[DeepImageFeaturizer]]. Output: an MLlib dense vector of the probabilities of all classes, or with
  * outputMode "array" an array of float; or, with decodePredictions, an array of struct<class: string, description:
  * string, probability: float>, the topK most probable classes, best first. A network of 1000 classes without labels
  * has ImageNet's; otherwise class and description are the number of the class.
  *
  * {{{
  * new DeepImagePredictor().setInputCol("image").setOutputCol("predicted").setModelName("ResNet50")
  *   .setDecodePredictions(true).transform(images).select("predicted.description")
  * }}}
  */
class DeepImagePredictor(override val uid: String) extends ImageStage {
  def this() = this(Identifiable.randomUID("deepImagePredictor"))

  final val decodePredictions: BooleanParam = new BooleanParam(
    this,
    "decodePredictions",
    "Whether to give the best classes by name, instead of the probabilities of all classes."
  )

  final val topK: IntParam = new IntParam(
    this,
    "topK",
    "How many classes decodePredictions gives, 1 or more; all of them where the network has fewer.",
    (k: Int) => StageChecks.atLeastOne("topK", k)
  )

  final val labels: Param[String] = new Param(
    this,
    "labels",
    "Path of a file with the names of the classes: Keras' class index, a JSON list, or a label per line (class, tab, " +
      "description); unset: those in the bundle, else ImageNet's for a named network of 1000 classes, else the number of the class."
  )
  setDefault(decodePredictions -> false, topK -> 5)

  def getDecodePredictions: Boolean = $(decodePredictions)
  def setDecodePredictions(value: Boolean): this.type = set(decodePredictions, value)

  def getTopK: Int = $(topK)
  def setTopK(value: Int): this.type = set(topK, value)

  def getLabels: String = $(labels)
  def setLabels(value: String): this.type = set(labels, value)

  override protected def outputType: DataType =
    if ($(decodePredictions)) TopKReader.dataType else super.outputType

  override private[ml] def output(model: ModelDefinition, session: SparkSession): OutputColumn = {
    val spec = predictions(model)
    if (! $(decodePredictions)) formed(spec)
    else OutputColumn(spec, TopKReader(spec.dtype, $(topK), labelsOf(model, spec, session).getOrElse(Nil)))
  }

  /** With the labels, so that their file is no longer needed. */
  override private[ml] def savedModel(session: SparkSession): ModelDefinition = {
    val model = super.savedModel(session)
    if (labelsFile.isEmpty) model else model.copy(labels = labelsOf(model, predictions(model), session))
  }

  private def labelsFile: Option[String] = get(labels).filter(_.nonEmpty)

  private def labelsOf(
      model: ModelDefinition,
      spec: TensorSpec,
      session: SparkSession
  ): Option[Seq[(String, String)]] = {
    val classes = spec.cell.flatMap(_.lastOption).filter(_ >= 0)
    val labels = labelsFile
      .map(Labels.read(_, session.sparkContext.hadoopConfiguration))
      .orElse(model.labels)
      .filter(_.nonEmpty)
      .orElse(if (isOfImageNet(model, classes)) Some(Labels.imagenet) else None)
    for (l <- labels; n <- classes if l.size != n)
      throw new SchemaMismatchException(
        s"The labels do not fit the model: ${labelsFile.fold("the bundle")(f => s"'$f'")} has ${l.size}, " +
          s"'${model.name}' predicts $n classes. Give one label for each class, in the order of the outputs."
      )
    labels
  }

  private def ofThisSize =
    if (isSet(inputSize)) " The classifiers of VGG16 and VGG19 are for their usual inputSize alone." else ""

  /** Networks of Keras with as many classes as ImageNet have these, whatever their weights. */
  private def isOfImageNet(model: ModelDefinition, classes: Option[Long]): Boolean =
    classes.contains(Labels.imagenet.size.toLong) && NamedModels.all.exists(_.name == model.name)

  private def predictions(model: ModelDefinition): TensorSpec = model.outputs
    .find(_.name == DeepImagePredictor.Output)
    .getOrElse(
      throw new InvalidModelException(
        s"The weights of '${model.name}' (weights = '${$(weights)}') have no classifier on top, so it can predict " +
          s"nothing: its bundle has no output '${DeepImagePredictor.Output}', but ${model.outputs.mkString("; ")}. Give " +
          s"weights with the top, or use DeepImageFeaturizer for the features.$ofThisSize"
      )
    )

  def setInputCol(value: String): this.type = set(inputCol, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)
  def setModelName(value: String): this.type = set(modelName, value)
  def setInputSize(value: Array[Int]): this.type = set(inputSize, value)
  def setScaleHint(value: String): this.type = set(scaleHint, value)
  def setOutputMode(value: String): this.type = set(outputMode, value)
  def setWeights(value: String): this.type = set(weights, value)
  def setModelDir(value: String): this.type = set(modelDir, value)
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object DeepImagePredictor extends DefaultParamsReadable[DeepImagePredictor] {
  private val Output = "predictions"

  override def read: MLReader[DeepImagePredictor] = new StageReader(super.read)
  override def load(path: String): DeepImagePredictor = super.load(path)
}
