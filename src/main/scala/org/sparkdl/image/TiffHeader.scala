package org.sparkdl.image

/** How the first picture of a TIFF is stored.
  *
  * @param blocks
  *   its strips or tiles
  * @param timesAlpha
  *   whether colours are stored multiplied by alpha
  */
private[image] final case class TiffHeader(
    header: ImageHeader,
    directory: TiffDirectory,
    compression: Int,
    photometric: Int,
    samples: Int,
    blocks: TiffBlocks,
    timesAlpha: Boolean
)

private[image] object TiffHeader {
  import TiffTags._

  private val MaxSide = 1 << 24

  /** By the numbers of TIFF: none, three of fax machines, LZW, JPEG, Deflate twice, PackBits. */
  private val compressions = Set(1, 2, 3, 4, 5, 7, 8, 32946, 32773)
  val Jpeg = 7

  val WhiteIsZero = 0
  val Grey = 1
  val Rgb = 2
  val Palette = 3
  val Cmyk = 5
  val YCbCr = 6

  private val AlphaTimesColour = 1
  private val Alpha = 2

  def parse(c: ByteCursor): TiffHeader = {
    val directory = TiffDirectory.read(c, 0, c.length)
    val (width, height) = (directory.number(Width, 0), directory.number(Height, 0))
    if (width > MaxSide || height > MaxSide) c.refuse(s"claims an impossible size of ${width}x$height pixels")
    if (width < 1 || height < 1)
      c.refuse(s"claims a size of ${width}x$height pixels (width x height); both must be at least 1")
    val compression = directory.number(Compression, 1).toInt
    if (!compressions(compression))
      c.refuse(
        s"is compressed with method $compression; supported are none, PackBits, LZW, Deflate, fax and JPEG " +
          s"(${compressions.toSeq.sorted.mkString(", ")})"
      )
    val samples = directory.number(Samples, 1).toInt
    val bits = bitsOf(c, directory, samples)
    val photometric = directory.number(Photometric, if (samples < 3) Grey else Rgb).toInt
    val channels = channelsOf(c, directory, photometric, samples)
    val header = ImageHeader("TIFF", width.toInt, height.toInt, channels, bits, TiffDirectory.orientation(directory))
    val blocks = TiffBlocks.of(c, directory, header, samples)
    val timesAlpha = channels == 4 && extra(directory).contains(AlphaTimesColour)
    TiffHeader(header, directory, compression, photometric, samples, blocks, timesAlpha)
  }

  private def bitsOf(c: ByteCursor, directory: TiffDirectory, samples: Int): Int = {
    val format = directory.numbers(SampleFormat)
    if (format.exists(f => f != 1 && f != 4))
      c.refuse(
        "has samples of signed or floating-point numbers, and nothing says which of them are black and white; read " +
          "it with readImagesWithCustomFn and a function that scales them to 0..255"
      )
    val all = directory.numbers(Bits)
    val bits = all.headOption.getOrElse(1L)
    if (all.exists(_ != bits) || !(if (samples == 1) Seq(1, 2, 4, 8, 16) else Seq(8, 16)).contains(bits.toInt))
      c.refuse(
        s"has ${all.mkString(", ")} bits for its samples; supported are 8 and 16, and 1, 2 and 4 for one sample per pixel"
      )
    bits.toInt
  }

  private def channelsOf(c: ByteCursor, directory: TiffDirectory, photometric: Int, samples: Int): Int = {
    val colours = photometric match {
      case WhiteIsZero | Grey | Palette => 1
      case Rgb | YCbCr                  => 3
      case Cmyk                         => 4
      case other =>
        c.refuse(
          s"has colours of kind $other; supported are grey (0, 1), RGB (2), palettes (3), CMYK (5) and YCbCr (6)"
        )
    }
    if (samples < colours || samples > 4) c.refuse(s"has $samples samples per pixel; expected $colours to 4")
    val alpha = samples > colours && extra(directory).exists(e => e == AlphaTimesColour || e == Alpha)
    if (photometric == Palette || photometric == Cmyk) 3 else if (alpha) 4 else math.min(colours, 3)
  }

  /** What the first sample besides the colours is, by the numbers of TIFF. */
  private def extra(directory: TiffDirectory): Option[Int] =
    directory.numbers(ExtraSamples).headOption.map(_.toInt)
}
