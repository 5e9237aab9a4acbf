package org.sparkdl.image

import org.sparkdl.errors.SparkDLException

/** How pixels are resized, named after `java.awt.Image`'s hints as in sparkdl 1.x; each is a method of TensorFlow.
  *
  * @param shrinksWhileDecoding
  *   whether a large JPEG may be decoded at a half, quarter or eighth of its size first. Only for the methods that
  *   average over what they leave out; the others would pick other pixels.
  */
sealed abstract class ScaleHint(val name: String, val shrinksWhileDecoding: Boolean) extends Serializable {

  /** Weights of the input positions for each output position along one axis. */
  private[image] def taps(inSize: Int, outSize: Int): Taps

  override def toString: String = name
}

object ScaleHint {

  /** The default: the average over the input area of an output pixel (`ResizeArea`). */
  case object AreaAveraging extends ScaleHint("SCALE_AREA_AVERAGING", true) {
    private[image] def taps(inSize: Int, outSize: Int): Taps = Taps.area(inSize, outSize)
  }

  /** Bilinear with antialiasing (`tf.image.resize(method="bilinear", antialias=True)`). */
  case object Smooth extends ScaleHint("SCALE_SMOOTH", true) {
    private[image] def taps(inSize: Int, outSize: Int): Taps = Taps.triangle(inSize, outSize)
  }

  /** Bilinear with half-pixel centres, two inputs per axis (`tf.image.resize(method="bilinear")`). */
  case object Default extends ScaleHint("SCALE_DEFAULT", false) {
    private[image] def taps(inSize: Int, outSize: Int): Taps = Taps.bilinear(inSize, outSize)
  }

  /** The same as [[Default]]. */
  case object Fast extends ScaleHint("SCALE_FAST", false) {
    private[image] def taps(inSize: Int, outSize: Int): Taps = Taps.bilinear(inSize, outSize)
  }

  /** Nearest neighbour with half-pixel centres (`tf.image.resize(method="nearest")`). */
  case object Replicate extends ScaleHint("SCALE_REPLICATE", false) {
    private[image] def taps(inSize: Int, outSize: Int): Taps = Taps.nearest(inSize, outSize)
  }

  /** All hints, the default first. */
  val all: Seq[ScaleHint] = Seq(AreaAveraging, Smooth, Default, Fast, Replicate)

  private val byName = all.map(h => h.name -> h).toMap

  /** The hint of that name, or an error that lists all names. */
  def fromName(name: String): ScaleHint = byName.getOrElse(
    name,
    throw new SparkDLException(
      s"Unknown scaleHint '$name'. Expected one of: ${all.map(_.name).mkString(", ")}."
    )
  )
}
