package org.sparkdl.image

/** The header of a GIF and the end of its first frame.
  *
  * @param firstFrameEnd
  *   bytes [0, firstFrameEnd) and the trailer byte 0x3b are a GIF of the first frame alone. Only that is given to
  *   TensorFlow, whose kernel decodes every frame: a small file can hold thousands.
  */
private[image] final case class GifHeader(header: ImageHeader, firstFrameEnd: Int)

private[image] object GifHeader {

  val Trailer: Byte = 0x3b
  private val Extension = 0x21
  private val ImageDescriptor = 0x2c

  def parse(c: ByteCursor): GifHeader = {
    val width = c.u16le(6)
    val height = c.u16le(8)
    if (width == 0 || height == 0) c.refuse(s"claims a size of ${width}x$height pixels; both must be at least 1")
    var at = 13 + tableBytes(c.u8(10))
    while (c.u8(at) == Extension) at = skipBlocks(c, at + 2)
    if (c.u8(at) != ImageDescriptor) c.refuse("has no image in it")
    val right = c.u16le(at + 1) + c.u16le(at + 5)
    val bottom = c.u16le(at + 3) + c.u16le(at + 7)
    // The frame's own raster is allocated too: it must not exceed the canvas, which the limit is checked for.
    if (right > width || bottom > height)
      c.refuse(s"has a first frame that leaves its canvas of ${width}x$height pixels")
    val data = at + 10 + tableBytes(c.u8(at + 9))
    val end = skipBlocks(c, data + 1)
    GifHeader(ImageHeader("GIF", width, height, 3, 8), end)
  }

  /** Bytes of the colour table that the flags announce. */
  private def tableBytes(flags: Int): Int = if ((flags & 0x80) == 0) 0 else 3 << ((flags & 7) + 1)

  /** The position after a chain of length-prefixed blocks and its terminating zero. */
  private def skipBlocks(c: ByteCursor, from: Int): Int = {
    var at = from
    while (c.u8(at) != 0) at += 1 + c.u8(at)
    at + 1
  }
}
