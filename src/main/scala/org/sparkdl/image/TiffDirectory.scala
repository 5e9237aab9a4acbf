package org.sparkdl.image

/** The first directory of a TIFF, or of the EXIF data of another file: numbers by the tags of their entries.
  *
  * @param start
  *   where the TIFF begins; all places in it are counted from there
  * @param until
  *   where it ends
  */
private[image] final class TiffDirectory private (c: ByteCursor, start: Int, until: Int) {
  import TiffDirectory._

  val little: Boolean = c.has(start, "II")
  if (!little && !c.has(start, "MM")) c.refuse("has no byte order")

  private val big = u16(start + 2) match {
    case Classic => false
    case Big     => true
    case other   => c.refuse(s"has the version $other; expected $Classic, or $Big for large files")
  }

  private val entries: Map[Int, Entry] = {
    val at = place(if (big) u64(start + 8) else u32(start + 4))
    val (first, size) = if (big) (at + 8, 20) else (at + 2, 12)
    val announced = if (big) u64(at) else u16(at).toLong
    val count = math.min(announced, (until - first) / size).toInt
    (0 until count).map(i => entry(first + i * size)).toMap
  }

  private def entry(at: Int): (Int, Entry) = {
    val count = if (big) u64(at + 4) else u32(at + 4)
    u16(at) -> Entry(u16(at + 2), count, at + (if (big) 12 else 8))
  }

  def has(tag: Int): Boolean = entries.contains(tag)

  /** The type of the numbers of an entry that is there, as TIFF counts types. */
  def typeOf(tag: Int): Int = entries(tag).kind

  /** All whole numbers of an entry; none if there is no such entry. */
  def numbers(tag: Int): Array[Long] = entries.get(tag).fold(Array.emptyLongArray) { e =>
    val size =
      sizes.getOrElse(e.kind, c.refuse(s"has values of type ${e.kind} in its entry $tag; expected whole numbers"))
    val from = valuesAt(e, size)
    Array.tabulate(e.count.toInt)(i => value(from + i * size, size))
  }

  /** The first whole number of an entry, or another if there is none. */
  def number(tag: Int, otherwise: Long): Long = numbers(tag).headOption.getOrElse(otherwise)

  /** Where the bytes of an entry are in the file, and how many. */
  def bytes(tag: Int): (Int, Int) = { val e = entries(tag); (valuesAt(e, 1), e.count.toInt) }

  private def valuesAt(e: Entry, size: Int): Int = {
    val total = size * e.count
    if (e.count < 0 || e.count > until || total > until) truncated()
    val from = if (total <= (if (big) 8 else 4)) e.at else place(if (big) u64(e.at) else u32(e.at))
    if (from + total > until) truncated()
    from
  }

  private def value(at: Int, size: Int): Long = size match {
    case 1 => c.u8(at).toLong
    case 2 => u16(at).toLong
    case 4 => u32(at)
    case 8 => u64(at)
  }

  private def place(offset: Long): Int = {
    if (offset < 0 || offset > until - start) truncated()
    (start + offset).toInt
  }

  private def truncated(): Nothing = c.refuse("ends inside its directory (truncated file)")

  private def u16(at: Int) = if (little) c.u16le(at) else c.u16be(at)
  private def u32(at: Int) = if (little) c.u32le(at) else c.u32be(at)
  private def u64(at: Int) =
    if (little) u32(at) | (u32(at + 4) << 32) else (u32(at) << 32) | u32(at + 4)
}

private[image] object TiffDirectory {
  private val Classic = 42
  private val Big = 43

  private final case class Entry(kind: Int, count: Long, at: Int)

  val Byte = 1
  val Short = 3
  val Long = 4

  /** Bytes of the types of whole numbers without a sign: BYTE, SHORT, LONG, UNDEFINED, IFD, LONG8, IFD8. */
  private val sizes = Map(Byte -> 1, Short -> 2, Long -> 4, 7 -> 1, 13 -> 4, 16 -> 8, 18 -> 8)

  def read(c: ByteCursor, start: Int, until: Int): TiffDirectory = new TiffDirectory(c, start, until)

  /** How the picture is to be turned, 1 to 8. */
  def orientation(directory: TiffDirectory): Int = {
    val stored = directory.number(TiffTags.Orientation, 1)
    if (stored >= 1 && stored <= 8) stored.toInt else 1
  }
}

/** The entries of a TIFF that say how its picture is stored. */
private[image] object TiffTags {
  val Width = 256
  val Height = 257
  val Bits = 258
  val Compression = 259
  val Photometric = 262
  val BitOrder = 266
  val StripOffsets = 273
  val Orientation = 274
  val Samples = 277
  val RowsPerStrip = 278
  val StripBytes = 279
  val Planes = 284
  val Predictor = 317
  val Colours = 320
  val TileWidth = 322
  val TileHeight = 323
  val TileOffsets = 324
  val TileBytes = 325
  val ExtraSamples = 338
  val SampleFormat = 339
  val JpegTables = 347

  /** The others that a decoder needs: order of bits, options of fax compression, and all about YCbCr. */
  val Others: Seq[Int] = Seq(BitOrder, 292, 293, 529, 530, 531, 532)
}
