package org.sparkdl.image

/** Image formats that nothing on the JVM decodes, and the line of Python that reads each. */
private[image] object ForeignImages {

  private val AvifBrands = Set("avif", "avis")
  private val HeicBrands = Set("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1")

  private val Avif = "readImagesWithCustomFn(path, PIL_decode)"
  private val Heic =
    "readImagesWithCustomFn(path, lambda data: PIL_to_imageStruct(pillow_heif.read_heif(data).to_pillow()))"

  /** What the bytes are and how to read them, if they are one of these. */
  def describe(bytes: Array[Byte]): Option[String] = {
    val c = new ByteCursor(bytes, "file")
    if (!c.has(4, "ftyp")) None
    else if (hasBrand(c, AvifBrands)) Some(advice("an AVIF image", "Pillow 11.3 or newer", Avif))
    else if (hasBrand(c, HeicBrands)) Some(advice("a HEIC image", "pillow-heif", Heic))
    else None
  }

  /** Whether one of the brands is the file's own or is compatible with it. */
  private def hasBrand(c: ByteCursor, brands: Set[String]): Boolean = {
    val end = math.min(c.u32be(0), c.length.toLong).toInt
    (8 +: (16 until end by 4)).exists(at => at + 4 <= c.length && brands(c.ascii(at, 4)))
  }

  private def advice(what: String, needed: String, line: String): String =
    s"$what, which nothing on the JVM decodes; read it in Python with $needed: $line (its functions are in " +
      "sparkdl.image.imageIO)"
}
