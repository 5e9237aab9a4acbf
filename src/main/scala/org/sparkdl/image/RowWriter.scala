package org.sparkdl.image

import org.apache.spark.unsafe.Platform

/** The second half of a resize: the columns of one row, rounded to bytes in the wanted channels. */
private[image] abstract class RowWriter {

  /** @param line
    *   the row's channels with 16 fractional bits
    * @param at
    *   where its first pixel goes in `base`; the next ones follow at `stride`
    */
  def apply(line: Array[Int], columns: Taps, base: AnyRef, at: Long, stride: Long): Unit
}

private[image] object RowWriter {

  def apply(source: PixelSource, grey: Boolean, blueFirst: Boolean): RowWriter =
    if (source.colour && grey) new ColourToGrey(source.channels, source.blueFirst)
    else if (source.colour) new ColourToColour(source.channels, source.blueFirst != blueFirst)
    else new GreyToAny(source.channels, grey)

  /** Rounds a number with 32 fractional bits to the nearest whole one, ties to even. */
  @inline private[image] def round(v: Long): Long = (v + 0x7fffffffL + ((v >>> 32) & 1L)) >>> 32

  private final class ColourToColour(channels: Int, swap: Boolean) extends RowWriter {
    def apply(line: Array[Int], columns: Taps, base: AnyRef, at: Long, stride: Long): Unit = {
      val (first, offset, weight) = (columns.first, columns.offset, columns.weight)
      val (c0, c2) = if (swap) (2, 0) else (0, 2)
      var place = at
      var x = 0
      while (x < first.length) {
        var (a, b, c) = (0L, 0L, 0L)
        var i = first(x) * channels
        var k = offset(x)
        val end = offset(x + 1)
        while (k < end) {
          val w = weight(k).toLong
          a += line(i) * w
          b += line(i + 1) * w
          c += line(i + 2) * w
          i += channels
          k += 1
        }
        Platform.putByte(base, place + c0, round(a).toByte)
        Platform.putByte(base, place + 1, round(b).toByte)
        Platform.putByte(base, place + c2, round(c).toByte)
        place += stride
        x += 1
      }
    }
  }

  private final class GreyToAny(channels: Int, grey: Boolean) extends RowWriter {
    def apply(line: Array[Int], columns: Taps, base: AnyRef, at: Long, stride: Long): Unit = {
      var place = at
      var x = 0
      while (x < columns.size) {
        val value = sum(line, columns, x, channels, 0).toByte
        Platform.putByte(base, place, value)
        if (!grey) {
          Platform.putByte(base, place + 1, value)
          Platform.putByte(base, place + 2, value)
        }
        place += stride
        x += 1
      }
    }
  }

  private final class ColourToGrey(channels: Int, blueFirst: Boolean) extends RowWriter {
    def apply(line: Array[Int], columns: Taps, base: AnyRef, at: Long, stride: Long): Unit = {
      val (red, blue) = if (blueFirst) (2, 0) else (0, 2)
      var place = at
      var x = 0
      while (x < columns.size) {
        val r = sum(line, columns, x, channels, red)
        val g = sum(line, columns, x, channels, 1)
        val b = sum(line, columns, x, channels, blue)
        Platform.putByte(base, place, luminance(r, g, b).toByte)
        place += stride
        x += 1
      }
    }
  }

  /** ITU-R BT.601, as in JPEG and in Pillow's convert("L"). */
  private[image] def luminance(r: Long, g: Long, b: Long): Long = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16

  private def sum(line: Array[Int], columns: Taps, x: Int, channels: Int, channel: Int): Long = {
    var total = 0L
    var i = columns.first(x) * channels + channel
    var k = columns.offset(x)
    val end = columns.offset(x + 1)
    while (k < end) {
      total += line(i) * columns.weight(k).toLong
      i += channels
      k += 1
    }
    round(total)
  }
}
