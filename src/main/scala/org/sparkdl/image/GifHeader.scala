package org.sparkdl.image

/** The header of a GIF and its first frame.
  *
  * @param header
  *   of the canvas, which is as large as the file says, and larger if the first frame leaves it
  * @param frame
  *   where on the canvas the first frame is
  * @param placeAt
  *   where the file says that
  * @param firstFrameEnd
  *   bytes [0, firstFrameEnd) and the trailer byte 0x3b are a GIF of the first frame alone. Only that is given to
  *   TensorFlow, whose kernel decodes every frame: a small file can hold thousands.
  * @param around
  *   red, green and blue of the canvas around the frame: black if there is a transparent colour, whose pixels
  *   TensorFlow makes black too, else the first colour, as in Pillow
  */
private[image] final case class GifHeader(
    header: ImageHeader,
    frame: FrameBounds,
    placeAt: Int,
    firstFrameEnd: Int,
    around: Array[Byte]
)

private[image] object GifHeader {

  val Trailer: Byte = 0x3b
  private val Extension = 0x21
  private val GraphicControl = 0xf9
  private val ImageDescriptor = 0x2c
  private val ScreenBytes = 13

  def parse(c: ByteCursor): GifHeader = {
    var at = ScreenBytes + tableBytes(c.u8(10))
    var transparent = false
    while (c.u8(at) == Extension) {
      if (c.u8(at + 1) == GraphicControl && (c.u8(at + 3) & 1) == 1) transparent = true
      at = skipBlocks(c, at + 2)
    }
    if (c.u8(at) != ImageDescriptor) c.refuse("has no image in it")
    val frame = FrameBounds(c.u16le(at + 1), c.u16le(at + 3), c.u16le(at + 5), c.u16le(at + 7))
    val (width, height) = (math.max(c.u16le(6), frame.right), math.max(c.u16le(8), frame.bottom))
    if (frame.width == 0 || frame.height == 0)
      c.refuse(s"has a first frame of ${frame.width}x${frame.height} pixels; both must be at least 1")
    val local = tableBytes(c.u8(at + 9))
    val table = if (local > 0) at + 10 else ScreenBytes
    val end = skipBlocks(c, at + 10 + local + 1)
    val hasTable = local > 0 || tableBytes(c.u8(10)) > 0
    val around = Array.tabulate(3)(i => if (transparent || !hasTable) 0.toByte else c.u8(table + i).toByte)
    GifHeader(ImageHeader("GIF", width, height, 3, 8), frame, at + 1, end, around)
  }

  /** The same file with its first frame in the corner: TensorFlow cuts off what it takes to be outside of the canvas.
    */
  def cornered(gif: GifHeader, bytes: Array[Byte]): Array[Byte] =
    if (gif.frame.left == 0 && gif.frame.top == 0) bytes
    else {
      val moved = bytes.clone()
      java.util.Arrays.fill(moved, gif.placeAt, gif.placeAt + 4, 0.toByte)
      moved
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
