package org.sparkdl.image

/** Reads the frame header (SOF) and the EXIF orientation of a JPEG, walking markers the way libjpeg does. */
private[image] object JpegHeader {

  private val Rst0 = 0xd0
  private val Soi = 0xd8
  private val Eoi = 0xd9
  private val Sos = 0xda
  private val App1 = 0xe1

  def parse(c: ByteCursor): ImageHeader = {
    val (at, orientation) = findFrame(c)
    val bits = c.u8(at + 2)
    if (bits != 8) c.refuse(s"has $bits bits per channel; only 8 are supported")
    val components = c.u8(at + 7)
    if (components != 1 && components != 3 && components != 4)
      c.refuse(s"has $components channels; supported are 1, 3 and 4 (CMYK)")
    // CMYK and YCCK become RGB when decoded.
    ImageHeader("JPEG", c.u16be(at + 5), c.u16be(at + 3), math.min(components, 3), bits, orientation)
  }

  /** Whether no end-of-image marker follows the frame header (previews, which have their own markers, come before
    * it).
    */
  def truncated(c: ByteCursor): Boolean = {
    var at = c.length - 2
    val (frame, _) = findFrame(c)
    while (at > frame && !(c.u8(at) == 0xff && c.u8(at + 1) == Eoi)) at -= 1
    at <= frame
  }

  /** The place of the frame header's length, and the orientation found on the way. */
  private def findFrame(c: ByteCursor): (Int, Int) = {
    var orientation = 1
    var marker = nextMarker(c, 2)
    while (!isFrame(c.u8(marker))) {
      val code = c.u8(marker)
      if (code == Sos || code == Eoi) c.refuse("has no frame header before its data")
      val length = if (standsAlone(code)) 0 else c.u16be(marker + 1)
      if (length < 2 && !standsAlone(code)) c.refuse(s"has a segment of impossible length $length at byte $marker")
      if (code == App1 && orientation == 1) orientation = Exif.orientation(c, marker + 3, marker + 1 + length)
      marker = nextMarker(c, marker + 1 + length)
    }
    (marker + 1, orientation)
  }

  /** Like libjpeg, skips bytes that are not a marker, and fill bytes; returns the position of the marker's code. */
  private def nextMarker(c: ByteCursor, from: Int): Int = {
    var at = from
    var code = 0
    while (code == 0) {
      while (c.u8(at) != 0xff) at += 1
      while (c.u8(at) == 0xff) at += 1
      code = c.u8(at)
    }
    at
  }

  private def standsAlone(code: Int) = code == 0x01 || (code >= Rst0 && code <= Soi)

  /** SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC), which share the range. */
  private def isFrame(code: Int) =
    code >= 0xc0 && code <= 0xcf && code != 0xc4 && code != 0xc8 && code != 0xcc
}

/** Finds the orientation in EXIF data. */
private[image] object Exif {

  /** The orientation (1 to 8) in the data [from, until), behind "Exif" or not; 1 when there is none or the data is
    * damaged.
    */
  def orientation(c: ByteCursor, from: Int, until: Int): Int = {
    val start = if (c.has(from, "Exif\u0000\u0000")) from + 6 else from
    try TiffDirectory.orientation(TiffDirectory.read(c, start, math.min(until, c.length)))
    catch { case _: HeaderRefused => 1 }
  }
}
