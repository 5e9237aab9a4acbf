package org.sparkdl.image

/** The header of a WebP and its first frame.
  *
  * @param header
  *   of the canvas, in all channels that the file announces
  * @param frame
  *   where on the canvas the first frame is; all of it unless the file is an animation
  * @param alpha
  *   the chunk with the alpha of a lossy frame, or null
  * @param image
  *   the chunk with the frame itself
  * @param alphaInImage
  *   whether that has alpha
  */
private[image] final case class WebpHeader(
    header: ImageHeader,
    frame: FrameBounds,
    alpha: WebpChunk,
    image: WebpChunk,
    alphaInImage: Boolean
)

/** A chunk of a WebP file: `size` bytes at `at`, behind the 8 bytes of its header. */
private[image] final case class WebpChunk(name: String, at: Int, size: Int) {
  def start: Int = at - 8
  def end: Int = at + size + size % 2
}

private[image] object WebpHeader {

  private val FirstChunk = 12
  private val AnimationFlag = 0x02
  private val AlphaFlag = 0x10
  private val FrameFields = 16

  def parse(c: ByteCursor): WebpHeader = {
    val first = chunk(c, FirstChunk)
    if (first.name == "VP8X") extended(c, first)
    else {
      checkWhole(c, first)
      val (width, height) = size(c, first)
      still(c, ImageHeader("WebP", width, height, if (hasAlpha(c, first)) 4 else 3, 8), null, first)
    }
  }

  private def extended(c: ByteCursor, x: WebpChunk): WebpHeader = {
    val flags = c.u8(x.at)
    val (width, height) = (1 + c.u24le(x.at + 4), 1 + c.u24le(x.at + 7))
    val channels = if ((flags & AlphaFlag) != 0) 4 else 3
    val canvas = ImageHeader("WebP", width, height, channels, 8, orientation(c, x.end))
    if ((flags & AnimationFlag) == 0) {
      val (alpha, image) = frameChunks(c, x.end, c.length)
      still(c, canvas, alpha, image)
    } else animated(c, canvas, find(c, "ANMF", x.end, c.length))
  }

  private def still(c: ByteCursor, canvas: ImageHeader, alpha: WebpChunk, image: WebpChunk): WebpHeader = {
    val whole = FrameBounds(0, 0, canvas.width, canvas.height)
    checkSize(c, whole, image)
    WebpHeader(canvas, whole, alpha, image, hasAlpha(c, image))
  }

  private def animated(c: ByteCursor, canvas: ImageHeader, frame: WebpChunk): WebpHeader = {
    def field(i: Int) = c.u24le(frame.at + 3 * i)
    val bounds = FrameBounds(2 * field(0), 2 * field(1), 1 + field(2), 1 + field(3))
    if (bounds.right > canvas.width || bounds.bottom > canvas.height)
      c.refuse(s"has a first frame that leaves its canvas of ${canvas.width}x${canvas.height} pixels")
    val (alpha, image) = frameChunks(c, frame.at + FrameFields, math.min(frame.end, c.length))
    checkSize(c, bounds, image)
    WebpHeader(canvas, bounds, alpha, image, hasAlpha(c, image))
  }

  /** The chunks of one frame: alpha (or null) and image. */
  private def frameChunks(c: ByteCursor, from: Int, until: Int): (WebpChunk, WebpChunk) = {
    var alpha: WebpChunk = null
    var next = chunk(c, from)
    while (next.name != "VP8 " && next.name != "VP8L") {
      if (next.name == "ALPH") alpha = next
      if (next.end >= until) c.refuse("ends before its picture (truncated file)")
      next = chunk(c, next.end)
    }
    if (alpha != null) checkWhole(c, alpha)
    checkWhole(c, next)
    (alpha, next)
  }

  private def find(c: ByteCursor, name: String, from: Int, until: Int): WebpChunk = {
    var next = chunk(c, from)
    while (next.name != name) {
      if (next.end >= until) c.refuse(s"has no chunk '$name'")
      next = chunk(c, next.end)
    }
    next
  }

  private def chunk(c: ByteCursor, at: Int): WebpChunk = {
    val name = c.ascii(at, 4)
    val size = c.u32le(at + 4)
    if (at + 8 + size > Int.MaxValue - 16) c.refuse(s"has a chunk '$name' of impossible length $size")
    WebpChunk(name, at + 8, size.toInt)
  }

  private def checkWhole(c: ByteCursor, chunk: WebpChunk): Unit =
    if (chunk.at.toLong + chunk.size > c.length) c.refuse("ends inside its picture (truncated file)")

  /** Sides are told twice, and what is allocated depends on the second one. */
  private def checkSize(c: ByteCursor, frame: FrameBounds, image: WebpChunk): Unit = {
    val (width, height) = size(c, image)
    if (width != frame.width || height != frame.height)
      c.refuse(s"has ${width}x$height pixels in a frame of ${frame.width}x${frame.height}")
  }

  /** Width and height in the bits of the frame itself. */
  private def size(c: ByteCursor, image: WebpChunk): (Int, Int) = image.name match {
    case "VP8 " =>
      if ((c.u8(image.at) & 1) != 0 || c.u24le(image.at + 3) != 0x2a019d) c.refuse("has no key frame")
      (c.u16le(image.at + 6) & 0x3fff, c.u16le(image.at + 8) & 0x3fff)
    case "VP8L" =>
      if (c.u8(image.at) != 0x2f) c.refuse("has a lossless frame without its signature")
      val bits = c.u32le(image.at + 1)
      (1 + (bits & 0x3fff).toInt, 1 + (bits >> 14 & 0x3fff).toInt)
    case other => c.refuse(s"begins with a chunk '$other'; expected 'VP8 ', 'VP8L' or 'VP8X'")
  }

  private def hasAlpha(c: ByteCursor, image: WebpChunk): Boolean =
    image.name == "VP8L" && (c.u32le(image.at + 1) & (1 << 28)) != 0

  /** Of an EXIF chunk, which comes after the pictures. */
  private def orientation(c: ByteCursor, from: Int): Int = {
    var at = from.toLong
    while (at + 8 <= c.length) {
      val size = c.u32le(at.toInt + 4)
      if (c.has(at.toInt, "EXIF")) return Exif.orientation(c, at.toInt + 8, math.min(at + 8 + size, c.length).toInt)
      at += 8 + size + size % 2
    }
    1
  }
}
