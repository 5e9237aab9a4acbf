package org.sparkdl.ml

import org.apache.spark.ml.param.Param
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}
import org.apache.spark.sql.SparkSession

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.model.ModelDefinition

/** Turns images into the features that a network with known weights sees in them, for transfer learning.
  *
  * Input: Spark's image struct or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF), of any size; decoded and resized
  * inside the operator. Output: an MLlib dense vector, or with outputMode "array" an array of float; its length is in
  * the table of models (`NamedModels`) for the pooling "avg" and "max", and is that of the whole feature map,
  * row-major `[height, width, channels]`, for "none". Null only with handleInvalid "keep".
  *
  * Cost: the model is loaded once per executor; nothing is collected or shuffled.
  *
  * {{{
  * val featurizer = new DeepImageFeaturizer().setInputCol("image").setOutputCol("features").setModelName("ResNet50")
  * new Pipeline().setStages(Array(featurizer, new LogisticRegression())).fit(images)
  * }}}
  */
class DeepImageFeaturizer(override val uid: String) extends ImageStage {
  def this() = this(Identifiable.randomUID("deepImageFeaturizer"))

  final val pooling: Param[String] = new Param(
    this,
    "pooling",
    "What is made of the feature map: avg or max over its positions, or none, which is the whole map, flattened as in " +
      "sparkdl 1.x.",
    (value: String) => StageChecks.oneOf("pooling", value, DeepImageFeaturizer.poolings)
  )
  setDefault(pooling -> "avg")

  def getPooling: String = $(pooling)
  def setPooling(value: String): this.type = set(pooling, value)

  override private[ml] def output(model: ModelDefinition, session: SparkSession): OutputColumn = {
    val name = s"features_${$(pooling)}"
    val spec = model.outputs
      .find(_.name == name)
      .getOrElse(
        throw new InvalidModelException(
          s"The bundle of '${model.name}' has no output '$name', which pooling '${$(pooling)}' needs. It has: " +
            s"${model.outputs.mkString("; ")}."
        )
      )
    formed(spec)
  }

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

object DeepImageFeaturizer extends DefaultParamsReadable[DeepImageFeaturizer] {
  private[ml] val poolings = Seq("avg", "max", "none")

  override def read: MLReader[DeepImageFeaturizer] = new StageReader(super.read)
  override def load(path: String): DeepImageFeaturizer = super.load(path)
}
