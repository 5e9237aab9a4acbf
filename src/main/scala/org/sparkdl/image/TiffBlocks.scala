package org.sparkdl.image

/** The strips or tiles of a TIFF, row by row (and plane by plane), of which the last ones may reach beyond the
  * picture.
  *
  * @param width
  *   columns of a block
  * @param height
  *   rows of a block
  */
private[image] final class TiffBlocks(
    val width: Int,
    val height: Int,
    val offsets: Array[Long],
    val sizes: Array[Long],
    val tiled: Boolean
)

private[image] object TiffBlocks {
  import TiffTags._

  private val MostPixels = 1L << 24 // a tile larger than the picture is allocated, too

  /** Those of a picture, all of which are in the file. */
  def of(c: ByteCursor, directory: TiffDirectory, header: ImageHeader, samples: Int): TiffBlocks = {
    val tiled = directory.has(TileOffsets)
    val width = if (tiled) directory.number(TileWidth, 0) else header.width.toLong
    val height =
      if (tiled) directory.number(TileHeight, 0)
      else math.min(directory.number(RowsPerStrip, header.height.toLong), header.height.toLong)
    if (
      width < 1 || height < 1 || width > Int.MaxValue || height > Int.MaxValue ||
      (tiled && width * height > math.max(MostPixels, header.pixels))
    )
      c.refuse(s"has blocks of an impossible size of ${width}x$height pixels")
    val planes = if (directory.number(Planes, 1) == 2) samples else 1
    val needed = ceiling(header.width, width) * ceiling(header.height, height) * planes
    val offsets = directory.numbers(if (tiled) TileOffsets else StripOffsets)
    val stored = directory.numbers(if (tiled) TileBytes else StripBytes)
    // Some old programs leave the length of the only strip out.
    val sizes = if (stored.isEmpty && offsets.length == 1) Array(math.max(0L, c.length - offsets(0))) else stored
    if (offsets.length < needed || sizes.length < needed)
      c.refuse(s"has ${math.min(offsets.length, sizes.length)} of the $needed blocks of its picture")
    for (i <- 0 until needed.toInt)
      if (offsets(i) < 0 || sizes(i) < 0 || sizes(i) > c.length - offsets(i))
        c.refuse("ends inside its picture (truncated file)")
    new TiffBlocks(width.toInt, height.toInt, offsets.take(needed.toInt), sizes.take(needed.toInt), tiled)
  }

  private def ceiling(size: Int, block: Long): Long = (size + block - 1) / block
}
