package org.sparkdl.image

/** OpenCV's types as numbers, as Spark's image struct holds them. */
private[sparkdl] object ImageModes {
  val Undefined: Int = -1
  val Cv8UC1 = 0
  val Cv8UC3 = 16
  val Cv8UC4 = 24

  private val names = Map(
    0 -> "CV_8UC1",
    16 -> "CV_8UC3",
    24 -> "CV_8UC4",
    5 -> "CV_32FC1",
    21 -> "CV_32FC3",
    29 -> "CV_32FC4"
  )
  private val floats = Set(5, 13, 21, 29)

  def uint8(channels: Int): Int = channels match {
    case 1 => Cv8UC1
    case 3 => Cv8UC3
    case 4 => Cv8UC4
  }

  /** The mode of float32 pixels with 1, 3 or 4 channels. */
  def float32(channels: Int): Int = uint8(channels) + 5

  /** Channels of a mode that sparkdl reads, 0 for any other mode. */
  def channels(mode: Int): Int = mode match {
    case Cv8UC1 | 5  => 1
    case Cv8UC3 | 21 => 3
    case Cv8UC4 | 29 => 4
    case _           => 0
  }

  def isFloat(mode: Int): Boolean = floats(mode)

  def describe(mode: Int): String = names.get(mode).fold(s"$mode")(n => s"$mode ($n)")
}
