package org.sparkdl.image

import org.sparkdl.errors.SparkDLException

/** What an image becomes before it is fed to a model: uint8 pixels `[height, width, channels]`, row-major.
  *
  * @param height
  *   rows
  * @param width
  *   columns
  * @param channelOrder
  *   "RGB" or "BGR" (3 channels), or "L" (1 channel: luminance)
  * @param scaleHint
  *   name of a [[ScaleHint]]
  */
final case class ImageTarget(
    height: Int,
    width: Int,
    channelOrder: String = "RGB",
    scaleHint: String = "SCALE_AREA_AVERAGING"
) {
  if (height < 1 || width < 1)
    throw new SparkDLException(s"Image size must be at least 1x1 pixels, got ${height}x$width (height x width).")
  if (height.toLong * width > ImageTarget.MostPixels)
    throw new SparkDLException(
      s"Image size must be at most ${ImageTarget.MostPixels} pixels, got ${height}x$width (height x width)."
    )
  if (!ImageTarget.ChannelOrders.contains(channelOrder))
    throw new SparkDLException(
      s"Unknown channelOrder '$channelOrder'. Expected one of: ${ImageTarget.ChannelOrders.mkString(", ")}."
    )

  /** The resize method. */
  val hint: ScaleHint = ScaleHint.fromName(scaleHint)

  /** 1 or 3. */
  val channels: Int = if (channelOrder == "L") 1 else 3

  /** Bytes of one image. */
  val bytes: Int = height * width * channels
}

object ImageTarget {

  /** Of one image: its bytes are an Int. */
  val MostPixels: Int = Int.MaxValue / 3

  /** The channel orders that a model may want. */
  val ChannelOrders: Seq[String] = Seq("RGB", "BGR", "L")
}
