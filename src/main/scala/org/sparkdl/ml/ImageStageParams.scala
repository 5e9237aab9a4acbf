package org.sparkdl.ml

import org.apache.spark.ml.param.{IntParam, Param, Params}

import org.sparkdl.Settings
import org.sparkdl.errors.SparkDLException
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.{ModelCache, NamedModels}
import org.sparkdl.plan.HandleInvalid

/** The params of every stage that applies a model to a column of images.
  *
  * Python has the same params with the same defaults and texts (`sparkdl.param`); a test compares them. A value that
  * a param cannot have is refused when it is set.
  */
trait ImageStageParams extends Params {

  final val inputCol: Param[String] = new Param(
    this,
    "inputCol",
    "Name of the column of images: Spark's image struct, or encoded bytes such as the content of binaryFile."
  )

  final val outputCol: Param[String] =
    new Param(this, "outputCol", "Name of the new column; the DataFrame must not have it yet.")

  final val modelName: Param[String] = new Param(
    this,
    "modelName",
    "Name of the network, one of those that sparkdl.models() lists; may be unset only when weights is a bundle.",
    (name: String) => { NamedModels.fromName(name); true }
  )

  final val scaleHint: Param[String] = new Param(
    this,
    "scaleHint",
    s"How images are resized to the network's input: ${ScaleHint.all.map(_.name).mkString(", ")}.",
    (hint: String) => { ScaleHint.fromName(hint); true }
  )

  final val batchSize: IntParam = new IntParam(
    this,
    "batchSize",
    "Images per run of the model, 1 or more; unset: the session's spark.sparkdl.batchSize.",
    (rows: Int) => StageChecks.atLeastOne("batchSize", rows)
  )

  final val precision: Param[String] = new Param(
    this,
    "precision",
    "float32 or bfloat16, for faster products of about 3 digits on CPUs that have it; unset: the session's " +
      "spark.sparkdl.precision.",
    (value: String) => StageChecks.oneOf("precision", value, Settings.precisions)
  )

  final val handleInvalid: Param[String] = new Param(
    this,
    "handleInvalid",
    "What becomes of a row whose image is null or cannot be decoded: error (the job fails and names it), skip (the " +
      "row is left out), keep (null in outputCol).",
    (policy: String) => { HandleInvalid.fromName(policy); true }
  )

  final val errorCol: Param[String] = new Param(
    this,
    "errorCol",
    "Name of a new string column for the reasons of invalid rows, which stays null unless handleInvalid is keep; " +
      "unset: no such column."
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
    handleInvalid -> HandleInvalid.Error.name,
    weights -> ModelCache.ImageNet
  )

  def getInputCol: String = $(inputCol)
  def setInputCol(value: String): this.type = set(inputCol, value)

  def getOutputCol: String = $(outputCol)
  def setOutputCol(value: String): this.type = set(outputCol, value)

  def getModelName: String = $(modelName)
  def setModelName(value: String): this.type = set(modelName, value)

  def getScaleHint: String = $(scaleHint)
  def setScaleHint(value: String): this.type = set(scaleHint, value)

  def getBatchSize: Int = $(batchSize)
  def setBatchSize(value: Int): this.type = set(batchSize, value)

  def getPrecision: String = $(precision)
  def setPrecision(value: String): this.type = set(precision, value)

  def getHandleInvalid: String = $(handleInvalid)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)

  def getErrorCol: String = $(errorCol)
  def setErrorCol(value: String): this.type = set(errorCol, value)

  def getWeights: String = $(weights)
  def setWeights(value: String): this.type = set(weights, value)

  def getModelDir: String = $(modelDir)
  def setModelDir(value: String): this.type = set(modelDir, value)
}

/** Checks of values; they throw, because Spark's own message for a value that a check denies gives no reason. */
private[ml] object StageChecks {

  def atLeastOne(name: String, value: Int): Boolean =
    value >= 1 || { throw new SparkDLException(s"$name must be at least 1, got $value.") }

  def oneOf(name: String, value: String, allowed: Seq[String]): Boolean =
    allowed.contains(value) || {
      throw new SparkDLException(s"Unknown $name '$value'. Expected one of: ${allowed.mkString(", ")}.")
    }
}
