package org.sparkdl.image

/** The header of a BMP: how its pixels are stored.
  *
  * @param palette
  *   256 RGB triples (black behind the end of the file's own table) for up to 8 bits per pixel, else empty
  * @param masks
  *   of red, green, blue and alpha for 16 and 32 bits per pixel, else empty; 0 = there is no such channel
  * @param data
  *   where the pixels begin
  */
private[image] final case class BmpHeader(
    header: ImageHeader,
    palette: Array[Byte],
    masks: Array[Int],
    data: Int,
    topDown: Boolean,
    runLengths: Boolean
) {

  /** Bytes from one row to the next. */
  def rowBytes: Long = (header.width.toLong * header.bits + 31) / 32 * 4
}

private[image] object BmpHeader {

  private val Info = 14
  private val Os2Bytes = 12 // the first header of OS/2, whose sides have 16 bits and whose colours have no padding
  private val Os2LongBytes = 64 // the second, whose numbers of compressions mean other things
  private val InfoBytes = 40
  private val AlphaMaskBytes = 56 // headers of that length and more have a mask for alpha

  private val BiRgb = 0
  private val BiRle8 = 1
  private val BiRle4 = 2
  private val BiBitfields = 3
  private val BiAlphaBitfields = 6

  def parse(c: ByteCursor): BmpHeader = {
    val infoBytes = c.u32le(Info)
    if (infoBytes != Os2Bytes && (infoBytes < 16 || infoBytes > 1024))
      c.refuse(s"has a header of $infoBytes bytes, which no kind of BMP has")
    val old = infoBytes == Os2Bytes
    val bits = c.u16le(if (old) 24 else 28)
    if (!Seq(1, 2, 4, 8, 16, 24, 32).contains(bits))
      c.refuse(s"has $bits bits per pixel; supported are 1, 2, 4, 8, 16, 24 and 32")
    val width = if (old) c.u16le(18) else c.i32le(18)
    val height = if (old) c.u16le(20) else c.i32le(22)
    if (width <= 0 || height == 0 || height == Int.MinValue)
      c.refuse(s"claims an impossible size of ${width}x$height pixels")
    val compression = if (infoBytes < 20) BiRgb else checkedCompression(c, bits, infoBytes == Os2LongBytes)
    val data = c.u32le(10)
    if (data > c.length) c.refuse("ends before its pixels (truncated file)")
    val palette = if (bits <= 8) colours(c, infoBytes, bits, data) else Array.emptyByteArray
    val masks = masksOf(c, infoBytes, bits, compression)
    val header = ImageHeader("BMP", width, math.abs(height), channels(bits, palette, masks), bits)
    val runLengths = compression == BiRle8 || compression == BiRle4
    BmpHeader(header, palette, masks, data.toInt, height < 0, runLengths)
  }

  private def checkedCompression(c: ByteCursor, bits: Int, os2: Boolean): Long = {
    val compression = c.u32le(30)
    val known = compression match {
      case BiRgb                          => true
      case BiRle8                         => bits == 8
      case BiRle4                         => bits == 4
      case BiBitfields | BiAlphaBitfields => !os2 && (bits == 16 || bits == 32)
      case _                              => false
    }
    if (!known)
      c.refuse(
        s"is compressed in a way (number $compression, $bits bits per pixel) that is not supported; supported are " +
          "run lengths of 4 and 8 bits and bit masks of 16 and 32 bits"
      )
    compression
  }

  private def masksOf(c: ByteCursor, infoBytes: Long, bits: Int, compression: Long): Array[Int] = bits match {
    case 16 | 32 if compression == BiRgb =>
      // As TensorFlow and unlike Pillow, the fourth byte of a pixel is taken for alpha.
      if (bits == 16) Array(0x7c00, 0x3e0, 0x1f, 0) else Array(0xff0000, 0xff00, 0xff, 0xff000000)
    case 16 | 32 =>
      val hasAlpha = compression == BiAlphaBitfields || infoBytes >= AlphaMaskBytes
      val at = Info + InfoBytes
      Array(c.i32le(at), c.i32le(at + 4), c.i32le(at + 8), if (hasAlpha) c.i32le(at + 12) else 0)
    case _ => Array.emptyIntArray
  }

  /** The colour table, which ends where the pixels begin, whatever the header says of its length. */
  private def colours(c: ByteCursor, infoBytes: Long, bits: Int, data: Long): Array[Byte] = {
    val at = Info + infoBytes.toInt
    val size = if (infoBytes == Os2Bytes) 3 else 4
    val all = 1 << bits
    val stored = if (infoBytes < 36) 0L else c.u32le(46)
    val room = if (data > at) (data - at) / size else all.toLong
    val count = Seq(if (stored == 0) all.toLong else stored, all.toLong, room).min.toInt
    if (at + size.toLong * count > c.length) c.refuse("ends inside its colour table (truncated file)")
    val table = new Array[Byte](256 * 3)
    for (i <- 0 until count; channel <- 0 until 3) table(3 * i + channel) = c.u8(at + size * i + 2 - channel).toByte
    table
  }

  private def channels(bits: Int, palette: Array[Byte], masks: Array[Int]): Int =
    if (bits <= 8) { if (isGrey(bits, palette)) 1 else 3 }
    else if (masks.nonEmpty && masks(3) != 0) 4
    else 3

  /** Whether the colours are black and white, or 256 levels from black to white. */
  private def isGrey(bits: Int, palette: Array[Byte]): Boolean = bits match {
    case 1 => palette.take(6).map(_ & 0xff).sameElements(Array(0, 0, 0, 255, 255, 255))
    case 8 => palette.indices.forall(i => (palette(i) & 0xff) == i / 3)
    case _ => false
  }
}
