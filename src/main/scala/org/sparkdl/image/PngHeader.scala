package org.sparkdl.image

/** Reads IHDR and looks for a palette's transparency (tRNS). */
private[image] object PngHeader {

  private val FirstChunk = 8
  private val MaxSide = 1 << 24 // far beyond every limit; keeps products within Long and sides within Int

  def parse(c: ByteCursor): ImageHeader = {
    if (!c.has(FirstChunk + 4, "IHDR")) c.refuse("does not begin with an IHDR chunk")
    val width = c.u32be(16)
    val height = c.u32be(20)
    if (width > MaxSide || height > MaxSide) c.refuse(s"claims an impossible size of ${width}x$height pixels")
    val bits = c.u8(24)
    val colour = c.u8(25)
    val channels = colour match {
      case 0     => 1
      case 2     => 3
      case 3     => if (hasTransparency(c)) 4 else 3
      case 4 | 6 => 4
      case other => c.refuse(s"has an unknown colour type $other")
    }
    ImageHeader("PNG", width.toInt, height.toInt, channels, bits)
  }

  /** TensorFlow turns a palette's tRNS into alpha, and ignores tRNS of grey and colour images. */
  private def hasTransparency(c: ByteCursor): Boolean = {
    var at = FirstChunk.toLong
    while (at + 12 <= c.length && !c.has(at.toInt + 4, "IDAT")) {
      if (c.has(at.toInt + 4, "tRNS")) return true
      at += 12 + c.u32be(at.toInt)
    }
    false
  }

  /** Whether the chunks end before IEND. */
  def truncated(c: ByteCursor): Boolean = {
    var at = FirstChunk.toLong
    while (at + 12 <= c.length) {
      if (c.has(at.toInt + 4, "IEND")) return false
      at += 12 + c.u32be(at.toInt)
    }
    true
  }
}
