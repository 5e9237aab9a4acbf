package org.sparkdl.ml

import org.apache.spark.ml.param.{IntArrayParam, Param}

import org.sparkdl.image.ScaleHint
import org.sparkdl.model.{ModelCache, NamedModels}

/** The params of every stage that applies a network known by name to a column of images. */
trait ImageStageParams extends ModelStageParams with HasOutputCol {

  final val inputCol: Param[String] = new Param(
    this,
    "inputCol",
    "Name of the column of images: Spark's image struct, or encoded bytes such as the content of binaryFile."
  )

  final val modelName: Param[String] = new Param(
    this,
    "modelName",
    "Name of the network, one of those that sparkdl.models() lists; may be unset only when weights is a bundle.",
    (name: String) => { NamedModels.fromName(name); true }
  )

  final val inputSize: IntArrayParam = new IntArrayParam(
    this,
    "inputSize",
    "Height and width in pixels of the network's input; unset: those that sparkdl.models() lists.",
    (size: Array[Int]) => StageChecks.heightAndWidth("inputSize", size)
  )

  final val scaleHint: Param[String] = new Param(
    this,
    "scaleHint",
    s"How images are resized to the network's input: ${ScaleHint.all.map(_.name).mkString(", ")}.",
    (hint: String) => { ScaleHint.fromName(hint); true }
  )

  final val outputMode: Param[String] = new Param(
    this,
    "outputMode",
    "Form of the new column: vector (an MLlib vector) or array (array<float>, which SQL functions, Lance and Delta take).",
    (value: String) => StageChecks.oneOf("outputMode", value, ImageStageParams.outputModes)
  )

  final val weights: Param[String] = new Param(
    this,
    "weights",
    "imagenet, or the path of a weights file of Keras (.weights.h5, .h5, .keras), or of a bundle, which is what a " +
      "loaded stage has here."
  )

  final val modelDir: Param[String] = new Param(
    this,
    "modelDir",
    "Directory of the named models' bundles, any Hadoop path; unset: the session's spark.sparkdl.models.dir."
  )

  setDefault(
    scaleHint -> ScaleHint.AreaAveraging.name,
    outputMode -> ImageStageParams.Vector,
    weights -> ModelCache.ImageNet
  )

  def getInputCol: String = $(inputCol)
  def getModelName: String = $(modelName)
  def getInputSize: Array[Int] = $(inputSize)
  def getScaleHint: String = $(scaleHint)
  def getOutputMode: String = $(outputMode)
  def getWeights: String = $(weights)
  def getModelDir: String = $(modelDir)
}

private[ml] object ImageStageParams {
  val Vector = "vector"
  val Array = "array"
  val outputModes: Seq[String] = Seq(Vector, Array)
}
