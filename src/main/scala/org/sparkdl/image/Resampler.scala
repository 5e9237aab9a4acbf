package org.sparkdl.image

import scala.collection.mutable

import org.apache.spark.unsafe.Platform

/** Resizes images; keeps its working memory from image to image. Not thread-safe.
  *
  * Every method is separable, so one implementation serves all of them: each output row is first the weighted sum of
  * some input rows, and then, along that row, of some columns. That is the hot path of sparkdl after decoding itself;
  * measured, it takes about half the time of TensorFlow's kernel for the same method, whose result is a float tensor
  * that has to be rounded and copied in addition.
  */
private[image] final class Resampler {
  private var line = new Array[Int](0)
  private val tapsBySize = mutable.HashMap.empty[(ScaleHint, Int, Int), Taps]

  /** The taps of one axis. They are kept, because the images of a data set often have few sizes, and computing them
    * takes 4 % of the time to decode a JPEG of 500x375 and leaves 0.4 MB of garbage.
    */
  def taps(hint: ScaleHint, in: Int, out: Int): Taps = {
    if (tapsBySize.size >= Resampler.KeptTaps) tapsBySize.clear()
    tapsBySize.getOrElseUpdate((hint, in, out), hint.taps(in, out))
  }

  /** Writes `source`, resized to the taps' sizes, to `place` in 1 or 3 channels. */
  def resize(
      source: PixelSource,
      rows: Taps,
      columns: Taps,
      place: Placement,
      grey: Boolean,
      blueFirst: Boolean
  ): Unit = {
    if (line.length < source.rowBytes) line = new Array[Int](source.rowBytes)
    val write = RowWriter(source, grey, blueFirst)
    var y = 0
    while (y < rows.size) {
      val top = source.offset + rows.first(y).toLong * source.rowBytes
      if (rows.count(y) == 1) Resampler.copyRow(source.base, top, source.rowBytes, line)
      else Resampler.addRows(source.base, top, source.rowBytes, rows.weight, rows.offset(y), rows.count(y), line)
      write(line, columns, place.base, place.origin + y * place.rowStride, place.columnStride)
      y += 1
    }
    if (line.length > Resampler.KeptInts) line = new Array[Int](0) // one very wide image
  }
}

private object Resampler {

  private val KeptInts = 1 << 20

  /** Up to about 100 kB each, for the largest images. */
  private val KeptTaps = 16

  private val EvenBytes = 0x000000ff000000ffL

  /** line := weighted sum of `count` rows, 16 fractional bits.
    *
    * Eight neighbouring bytes are read as one long and multiplied two at a time: bytes i and i+4 sit in the two
    * halves of a long, and 8 bits times a weight of at most 2^16 cannot overflow into the other half.
    */
  def addRows(
      base: AnyRef,
      top: Long,
      rowBytes: Int,
      weight: Array[Int],
      from: Int,
      count: Int,
      line: Array[Int]
  ): Unit = {
    val whole = rowBytes & ~7
    var x = 0
    while (x < whole) {
      var (a, b, c, d) = (0L, 0L, 0L, 0L)
      var at = top + x
      var k = from
      while (k < from + count) {
        val v = Platform.getLong(base, at)
        val w = weight(k).toLong
        a += (v & EvenBytes) * w
        b += ((v >>> 8) & EvenBytes) * w
        c += ((v >>> 16) & EvenBytes) * w
        d += ((v >>> 24) & EvenBytes) * w
        at += rowBytes
        k += 1
      }
      line(x) = a.toInt
      line(x + 1) = b.toInt
      line(x + 2) = c.toInt
      line(x + 3) = d.toInt
      line(x + 4) = (a >>> 32).toInt
      line(x + 5) = (b >>> 32).toInt
      line(x + 6) = (c >>> 32).toInt
      line(x + 7) = (d >>> 32).toInt
      x += 8
    }
    while (x < rowBytes) {
      var sum = 0
      var k = 0
      while (k < count) {
        sum += (Platform.getByte(base, top + x + k.toLong * rowBytes) & 0xff) * weight(from + k)
        k += 1
      }
      line(x) = sum
      x += 1
    }
  }

  /** line := one row, 16 fractional bits. */
  def copyRow(base: AnyRef, top: Long, rowBytes: Int, line: Array[Int]): Unit = {
    var x = 0
    while (x < rowBytes) {
      line(x) = (Platform.getByte(base, top + x) & 0xff) << Taps.Bits
      x += 1
    }
  }
}
