package org.sparkdl.ml

import java.util.{Map => JMap}

import scala.jdk.CollectionConverters._

import org.apache.spark.ml.param.Param
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

import org.sparkdl.image.ImageTarget
import org.sparkdl.model.{ImageInfo, ModelDefinition, ReadOptions}
import org.sparkdl.tensor.TensorSpec

/** Applies a TensorFlow graph to images.
  *
  * Input: Spark's image struct or encoded bytes (JPEG, PNG, BMP, GIF, WebP, TIFF). They are resized to the height and
  * width that the graph's input has; where it has none, each image keeps its own size and images of equal size share
  * a batch. The input, `[rows, height, width, channels]`, may be uint8, int16, int32, int64, float32 or float64; its
  * numbers are 0 to 255, or those of a struct of floats. Output: an MLlib dense vector, or an image struct in BGR
  * order. Null only with handleInvalid "keep". Placeholders besides the images, such as `phase_train`, get their
  * values from `constants`.
  *
  * Cost: the model is loaded once per executor and runs batch by batch; nothing is collected or shuffled.
  *
  * {{{
  * new TFImageTransformer().setInputCol("image").setOutputCol("features").setTfInputGraph("/models/edges.pb")
  *   .setOutputTensor("edges:0").transform(images)
  * }}}
  */
class TFImageTransformer(override val uid: String) extends ImageModelStage with HasConstants {
  def this() = this(Identifiable.randomUID("tfImageTransformer"))

  override final val inputCol: Param[String] = new Param(
    this,
    "inputCol",
    "Name of the column of images: Spark's image struct, or encoded bytes such as the content of binaryFile."
  )

  final val tfInputGraph: Param[String] = new Param(
    this,
    "tfInputGraph",
    "The graph: path of a bundle, of a SavedModel directory (its serving_default signature) or of a frozen graph (.pb)."
  )

  final val channelOrder: Param[String] = new Param(
    this,
    "channelOrder",
    "Order of the channels that the graph takes: RGB, BGR, or L (one channel of luminance).",
    (order: String) => StageChecks.oneOf("channelOrder", order, ImageTarget.ChannelOrders)
  )

  final val inputTensor: Param[String] = new Param(
    this,
    "inputTensor",
    "The input that takes the images: the key of a signature, a tensor (op:0) or an operation; unset: the only one."
  )

  final val outputTensor: Param[String] = new Param(
    this,
    "outputTensor",
    "The output that is wanted: the key of a signature, a tensor (op:0) or an operation; unset: the only one."
  )
  setDefault(channelOrder -> "RGB")

  def getTfInputGraph: String = $(tfInputGraph)
  def setTfInputGraph(value: String): this.type = set(tfInputGraph, value)

  def getChannelOrder: String = $(channelOrder)
  def setChannelOrder(value: String): this.type = set(channelOrder, value)

  def getInputTensor: String = $(inputTensor)
  def setInputTensor(value: String): this.type = set(inputTensor, value)

  def getOutputTensor: String = $(outputTensor)
  def setOutputTensor(value: String): this.type = set(outputTensor, value)

  override private[ml] def modelParam: Param[String] = tfInputGraph

  override protected def checkInputs(columns: Columns): Unit = columns.requireImages(required(inputCol))

  override protected def ends(model: ModelDefinition): (TensorSpec, TensorSpec) = {
    val wanted = get(inputTensor).filter(_.nonEmpty).map(TensorNames.find(model.name, "input", model.inputs, _))
    val input = only("input", model.inputs, model, "Images can feed one only.")
    val output = get(outputTensor).filter(_.nonEmpty).map(TensorNames.find(model.name, "output", model.outputs, _))
    (
      wanted.getOrElse(input),
      output.getOrElse(only("output", model.outputs, model, "Set outputTensor to one of them."))
    )
  }

  /** What a bundle says about its images applies, except for an order that is set. */
  override protected def imageInfo(model: ModelDefinition, input: TensorSpec): ImageInfo = {
    val (height, width) = sizeOf(input)
    model.imageOf(input) match {
      case Some(info) => info.copy(channelOrder = get(channelOrder).getOrElse(info.channelOrder))
      case None       => ImageInfo(input.name, height, width, $(channelOrder))
    }
  }

  /** Any tensor of a frozen graph can be fed and fetched. */
  override protected def readOptions: ReadOptions =
    ReadOptions(inputs = get(inputTensor).toSeq, outputs = get(outputTensor).toSeq, constants = constantValues)

  def setInputCol(value: String): this.type = set(inputCol, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)
  def setOutputMode(value: String): this.type = set(outputMode, value)
  def setScaleHint(value: String): this.type = set(scaleHint, value)
  def setConstants(value: JMap[String, Any]): this.type = setConstants(value.asScala)
  def setConstants(value: scala.collection.Map[String, Any]): this.type = set(constants, HasConstants.plain(value))
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object TFImageTransformer extends DefaultParamsReadable[TFImageTransformer] {
  override def read: MLReader[TFImageTransformer] = new StageReader(super.read)
  override def load(path: String): TFImageTransformer = super.load(path)
}
