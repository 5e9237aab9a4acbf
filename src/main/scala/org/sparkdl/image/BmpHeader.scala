package org.sparkdl.image

/** The header of a BMP and its colour table.
  *
  * @param palette
  *   RGB triples for 8 bit images, else empty; TensorFlow's kernel returns the indices and ignores the table
  */
private[image] final case class BmpHeader(header: ImageHeader, palette: Array[Byte])

private[image] object BmpHeader {

  private val InfoHeaderBytes = 40
  private val BiRgb = 0
  private val BiBitfields = 3

  /** Refuses what TensorFlow's kernel would misread: OS/2 headers, compression, other depths, unusual bit masks. */
  def parse(c: ByteCursor): BmpHeader = {
    val infoBytes = c.u32le(14)
    if (infoBytes < InfoHeaderBytes) c.refuse(s"has an OS/2 header ($infoBytes bytes), which is not supported")
    val bits = c.u16le(28)
    if (bits != 8 && bits != 24 && bits != 32) {
      c.refuse(s"has $bits bits per pixel; supported are 8, 24 and 32")
    }
    checkCompression(c, bits)
    val width = c.i32le(18)
    val height = c.i32le(22)
    if (width <= 0 || height == 0 || height == Int.MinValue) {
      c.refuse(s"claims an impossible size of ${width}x$height pixels")
    }
    val channels = if (bits == 32) 4 else 3
    val table = if (bits == 8) palette(c, 14 + infoBytes) else Array.emptyByteArray
    val grey = bits == 8 && isGreyRamp(table)
    val header = ImageHeader("BMP", width, math.abs(height), if (grey) 1 else channels, bits)
    BmpHeader(header, if (grey) Array.emptyByteArray else table)
  }

  private def checkCompression(c: ByteCursor, bits: Int): Unit = {
    val compression = c.u32le(30)
    val plainMasks = compression == BiBitfields && bits == 32 &&
      c.u32le(54) == 0xff0000L && c.u32le(58) == 0xff00L && c.u32le(62) == 0xffL
    if (compression != BiRgb && !plainMasks) {
      c.refuse(s"is compressed or has unusual bit masks (compression $compression), which is not supported")
    }
  }

  /** Whether there are fewer bytes than the header's size needs. */
  def truncated(c: ByteCursor): Boolean = {
    val rowBytes = (c.i32le(18).toLong * c.u16le(28) + 31) / 32 * 4
    c.length < c.u32le(10) + rowBytes * math.abs(c.i32le(22).toLong)
  }

  private def palette(c: ByteCursor, at: Long): Array[Byte] = {
    val stored = c.u32le(46)
    val colours = if (stored == 0 || stored > 256) 256 else stored.toInt
    if (at + 4L * colours > c.length) c.refuse("ends inside its colour table (truncated file)")
    val table = new Array[Byte](256 * 3)
    for (i <- 0 until colours; channel <- 0 until 3) {
      table(3 * i + channel) = c.u8(at.toInt + 4 * i + 2 - channel).toByte
    }
    table
  }

  private def isGreyRamp(table: Array[Byte]): Boolean = table.indices.forall(i => (table(i) & 0xff) == i / 3)
}
