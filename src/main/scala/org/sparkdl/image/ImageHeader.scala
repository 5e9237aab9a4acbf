package org.sparkdl.image

/** What the first bytes of an encoded image say about it, read without decoding anything.
  *
  * @param format
  *   "JPEG", "PNG", "BMP", "GIF", "WebP" or "TIFF"
  * @param width
  *   columns as stored, before the EXIF orientation is applied
  * @param height
  *   rows as stored, before the EXIF orientation is applied
  * @param channels
  *   channels of the decoded image: 1 grey, 3 colour, 4 colour and alpha
  * @param bits
  *   bits per channel in the file (per pixel for palettes)
  * @param orientation
  *   EXIF orientation 1 to 8; 1 = as stored. JPEG, WebP and TIFF files are asked for it.
  */
final case class ImageHeader(
    format: String,
    width: Int,
    height: Int,
    channels: Int,
    bits: Int,
    orientation: Int = 1
) {

  /** Whether the orientation exchanges rows and columns. */
  def transposed: Boolean = orientation >= 5

  /** Number of pixels that decoding allocates. */
  def pixels: Long = width.toLong * height
}

object ImageHeader {

  private val Supported = "supported are JPEG, PNG, BMP, GIF, WebP and TIFF"

  /** Reads the header of an encoded image; never throws and allocates next to nothing.
    *
    * Input: the bytes of a file. Output: the header, or the reason why sparkdl cannot decode this.
    */
  def probe(bytes: Array[Byte]): Either[String, ImageHeader] =
    try {
      if (bytes == null) Left("there are no bytes (null)")
      else if (bytes.length == 0) Left("the file is empty (0 bytes)")
      else parse(bytes).flatMap(positive)
    } catch { case e: HeaderRefused => Left(e.reason) }

  private def parse(bytes: Array[Byte]): Either[String, ImageHeader] = {
    val c = new ByteCursor(bytes, _: String)
    if (startsWith(bytes, 0xff, 0xd8, 0xff)) Right(JpegHeader.parse(c("JPEG")))
    else if (startsWith(bytes, 0x89, 'P', 'N', 'G', 0x0d, 0x0a, 0x1a, 0x0a)) Right(PngHeader.parse(c("PNG")))
    else if (startsWith(bytes, 'G', 'I', 'F', '8')) Right(GifHeader.parse(c("GIF")).header)
    else if (startsWith(bytes, 'B', 'M')) Right(BmpHeader.parse(c("BMP")).header)
    else if (c("file").has(0, "RIFF") && c("file").has(8, "WEBP")) Right(WebpHeader.parse(c("WebP")).header)
    else if (isTiff(bytes)) Right(TiffHeader.parse(c("TIFF")).header)
    else Left(s"the bytes are ${describeUnknown(bytes)}")
  }

  private def positive(h: ImageHeader): Either[String, ImageHeader] =
    if (h.width > 0 && h.height > 0) Right(h)
    else
      Left(
        s"this ${h.format} claims a size of ${h.width}x${h.height} pixels (width x height); both must be at least 1"
      )

  private def startsWith(bytes: Array[Byte], magic: Int*): Boolean =
    bytes.length >= magic.length && magic.indices.forall(i => (bytes(i) & 0xff) == magic(i))

  /** Plain ones, and those for files of more than 4 GB. */
  private def isTiff(bytes: Array[Byte]): Boolean =
    startsWith(bytes, 'I', 'I', 42, 0) || startsWith(bytes, 'M', 'M', 0, 42) ||
      startsWith(bytes, 'I', 'I', 43, 0) || startsWith(bytes, 'M', 'M', 0, 43)

  private def describeUnknown(bytes: Array[Byte]): String =
    ForeignImages.describe(bytes).getOrElse(s"${describeOther(bytes)}; $Supported")

  private def describeOther(bytes: Array[Byte]): String = {
    val c = new ByteCursor(bytes, "file")
    if (c.has(0, "%PDF")) "a PDF document"
    else if (c.has(0, "PK\u0003\u0004")) "a zip archive"
    else if (c.has(1, "PNG") || c.has(0, "\u0089PNG")) "a PNG with a damaged signature"
    else if (bytes.take(64).forall(isText)) "text"
    else s"of an unknown format (first bytes ${bytes.take(8).map(b => f"${b & 0xff}%02x").mkString(" ")})"
  }

  private def isText(b: Byte): Boolean = (b >= 32 && b < 127) || b == '\n' || b == '\r' || b == '\t'
}
