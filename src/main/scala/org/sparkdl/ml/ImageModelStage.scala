package org.sparkdl.ml

import org.apache.spark.ml.param.Param
import org.apache.spark.sql.SparkSession

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.{ImageInfo, ModelDefinition, UnfedPlaceholders}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** A stage that feeds a column of images to the only input of any model and appends one of its outputs.
  *
  * Whether an output can become an image depends on the model, so `transformSchema` reads the model's signature.
  */
abstract class ImageModelStage extends FileModelStage with HasOutputCol {

  final val outputMode: Param[String] = new Param(
    this,
    "outputMode",
    "Form of the new column: vector (an MLlib vector of the flattened, row-major output) or image (Spark's image struct, " +
      "of an output with height, width and 1, 3 or 4 channels).",
    (value: String) => StageChecks.oneOf("outputMode", value, ImageModelStage.outputModes)
  )

  final val scaleHint: Param[String] = new Param(
    this,
    "scaleHint",
    s"How images are resized to the model's input: ${ScaleHint.all.map(_.name).mkString(", ")}.",
    (hint: String) => { ScaleHint.fromName(hint); true }
  )
  setDefault(outputMode -> ImageModelStage.Vector, scaleHint -> ScaleHint.AreaAveraging.name)

  /** Name of the column of images. */
  val inputCol: Param[String]

  def getInputCol: String = $(inputCol)
  def getOutputMode: String = $(outputMode)
  def getScaleHint: String = $(scaleHint)

  /** The input and the output of the model that the params name. */
  protected def ends(model: ModelDefinition): (TensorSpec, TensorSpec)

  /** How images are fed, according to the params and the model itself. */
  protected def imageInfo(model: ModelDefinition, input: TensorSpec): ImageInfo

  override protected def outputParam(column: String): String = outputCol.name

  override private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall =
    callOn($(inputCol), model)

  /** The call on a column of images of any name. */
  protected def callOn(column: String, model: ModelDefinition): StageCall = {
    val (input, output) = ends(model)
    UnfedPlaceholders.check(model, Seq(input), Seq(output)) // without a value their shapes may be unknown
    val info = imageInfo(model, input)
    val appended = (required(outputCol), outputColumn(model, output, info))
    StageCall(model.copy(image = Some(info)), Seq(column -> input), Seq(appended), $(scaleHint))
  }

  private def outputColumn(model: ModelDefinition, spec: TensorSpec, info: ImageInfo): OutputColumn =
    if ($(outputMode) == ImageModelStage.Image) OutputColumn.image(model, spec, info.channelOrder)
    else if (spec.dtype == DType.Str)
      throw new SchemaMismatchException(
        s"$label: output '${spec.name}' of model '${model.name}' is ${spec.typeString}, which cannot become a vector; " +
          "choose an output of numbers."
      )
    else OutputColumn.vector(spec)

  /** The only input or output, or an error that lists all of them. */
  protected def only(kind: String, specs: Seq[TensorSpec], model: ModelDefinition, remedy: String): TensorSpec =
    if (specs.size == 1) specs.head
    else
      throw new SchemaMismatchException(
        s"$label: expected a model with one $kind, but '${model.name}' has ${specs.size}: ${specs.mkString("; ")}. $remedy"
      )

  /** Height and width where the model fixes both, else -1 for each image's own. */
  protected def sizeOf(input: TensorSpec): (Int, Int) = input.cell match {
    case Some(Seq(h, w, _)) if h >= 0 && w >= 0 => (h.toInt, w.toInt)
    case _                                      => (ImageInfo.Own, ImageInfo.Own)
  }
}

private[ml] object ImageModelStage {
  val Vector = "vector"
  val Image = "image"
  val outputModes: Seq[String] = Seq(Vector, Image)
}
