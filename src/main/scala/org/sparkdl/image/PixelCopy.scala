package org.sparkdl.image

import org.apache.spark.unsafe.Platform

/** Copies pixels without resizing them: channel order, number of channels and orientation only. */
private[image] object PixelCopy {

  /** Writes `source` to `place` with 1 (luminance), 3 or 4 channels; missing alpha is opaque. */
  def copy(source: PixelSource, place: Placement, channels: Int, blueFirst: Boolean): Unit =
    if (isPlain(source, place, channels, blueFirst))
      Platform.copyMemory(
        source.base,
        source.offset,
        place.base,
        place.origin,
        source.rowBytes.toLong * source.height
      )
    else {
      var y = 0
      while (y < source.height) {
        copyRow(source, y, place, channels, blueFirst)
        y += 1
      }
    }

  /** Whether one memcpy is enough. */
  private def isPlain(source: PixelSource, place: Placement, channels: Int, blueFirst: Boolean): Boolean =
    source.channels == channels && place.columnStride == channels && place.rowStride == source.rowBytes &&
      (channels == 1 || source.blueFirst == blueFirst)

  private def copyRow(source: PixelSource, y: Int, place: Placement, channels: Int, blueFirst: Boolean): Unit = {
    val (base, step) = (source.base, source.channels)
    val colour = source.colour
    val first = if (colour && source.blueFirst != blueFirst) 2 else 0
    val second = if (colour) 1 else 0
    val third = if (colour) 2 - first else 0
    var from = source.offset + y.toLong * source.rowBytes
    var to = place.origin + y * place.rowStride
    var x = 0
    while (x < source.width) {
      val (a, b) = (Platform.getByte(base, from + first), Platform.getByte(base, from + second))
      val c = Platform.getByte(base, from + third)
      if (channels == 1) Platform.putByte(place.base, to, if (colour) grey(a, b, c, blueFirst) else a)
      else {
        Platform.putByte(place.base, to, a)
        Platform.putByte(place.base, to + 1, b)
        Platform.putByte(place.base, to + 2, c)
        if (channels == 4) Platform.putByte(place.base, to + 3, alpha(source, from))
      }
      from += step
      to += place.columnStride
      x += 1
    }
  }

  private def alpha(source: PixelSource, at: Long): Byte = source.channels match {
    case 2 | 4 => Platform.getByte(source.base, at + source.channels - 1)
    case _     => -1
  }

  private def grey(a: Byte, b: Byte, c: Byte, blueFirst: Boolean): Byte = {
    val (red, blue) = if (blueFirst) (c, a) else (a, c)
    RowWriter.luminance(red & 0xffL, b & 0xffL, blue & 0xffL).toByte
  }
}
