package org.sparkdl.image

import org.sparkdl.errors.SparkDLException

/** How the numbers of a pixel are changed before a model sees them.
  *
  * The modes of `keras.applications.imagenet_utils.preprocess_input`, with the same float32 operations in the same
  * order, so that results are equal bit for bit.
  */
private[sparkdl] abstract class Preprocessing extends Serializable {

  /** The number for `value`, 0 to 255, of channel `channel`. */
  def apply(channel: Int, value: Float): Float
}

private[sparkdl] object Preprocessing {
  val None = "none"
  val Tf = "tf"
  val Caffe = "caffe"
  val Torch = "torch"
  val names: Seq[String] = Seq(None, Tf, Caffe, Torch)

  /** ImageNet's mean, in the order that Caffe's networks take: blue, green, red. */
  private val blueGreenRed = Array(103.939f, 116.779f, 123.68f)

  /** ImageNet's mean and deviation of red, green and blue in 0 to 1. */
  private val mean = Array(0.485f, 0.456f, 0.406f)
  private val deviation = Array(0.229f, 0.224f, 0.225f)

  def of(name: String): Preprocessing = name match {
    case None  => (_, value) => value
    case Tf    => (_, value) => value / 127.5f - 1.0f
    case Caffe => (channel, value) => value - blueGreenRed(channel)
    case Torch => (channel, value) => (value / 255.0f - mean(channel)) / deviation(channel)
    case other =>
      throw new SparkDLException(s"Unknown preprocessing '$other'. Expected one of: ${names.mkString(", ")}.")
  }
}
