package org.sparkdl.image

import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.DType

/** Writes pixels as the numbers that a model takes: in its dtype, and preprocessed.
  *
  * @param channels
  *   of the model's input, 1 or 3
  */
private[sparkdl] final class PixelNumbers(dtype: DType, channels: Int, preprocessing: Preprocessing) {
  private val put = PixelNumbers.put(dtype)

  /** The number for each byte value, channel by channel. */
  private val numbers: Array[Float] =
    Array.tabulate(channels * 256)(i => preprocessing(i >> 8, (i & 255).toFloat))

  /** Where [[widen]] expects uint8 pixels in memory for `count` numbers: at its end. */
  def bytesIn(address: Long, count: Int): Long = address + count.toLong * (dtype.size - 1)

  /** Turns `count` bytes at the end of the memory at `address` into numbers that fill it. From the first to the last,
    * so that a byte is read before a number is written over it.
    */
  def widen(address: Long, count: Int): Unit = {
    val bytes = bytesIn(address, count)
    var row = 0
    var i = 0
    while (i < count) {
      put(address + i.toLong * dtype.size, numbers(row + (Platform.getByte(null, bytes + i) & 0xff)))
      row += 256
      if (row == numbers.length) row = 0
      i += 1
    }
  }

  /** Writes float32 pixels of an image struct: grey is repeated, alpha dropped, colour made grey where the model
    * takes one channel.
    *
    * @param data
    *   float32 `[pixels, nChannels]`: grey, or blue, green, red, and possibly alpha
    */
  def writeFloats(data: Array[Byte], pixels: Int, nChannels: Int, blueFirst: Boolean, address: Long): Unit = {
    var from = Platform.BYTE_ARRAY_OFFSET.toLong
    var to = address
    var i = 0
    while (i < pixels) {
      var c = 0
      while (c < channels) {
        val value =
          if (nChannels == 1) Platform.getFloat(data, from)
          else if (channels == 1) PixelNumbers.luminance(data, from)
          else Platform.getFloat(data, from + 4L * (if (blueFirst) c else 2 - c))
        put(to, preprocessing(c, value))
        to += dtype.size
        c += 1
      }
      from += 4L * nChannels
      i += 1
    }
  }
}

private[sparkdl] object PixelNumbers {

  /** The dtypes that pixels can be fed to. */
  val dtypes: Seq[DType] = Seq(DType.UInt8, DType.Int16, DType.Int32, DType.Int64, DType.Float32, DType.Float64)

  def isFloat(dtype: DType): Boolean = dtype == DType.Float32 || dtype == DType.Float64

  // A separate interface, because Scala's functions would box every number.
  private trait PutNumber { def apply(address: Long, value: Float): Unit }

  private def put(dtype: DType): PutNumber = dtype match {
    case DType.Int16   => (a, v) => Platform.putShort(null, a, v.toShort)
    case DType.Int32   => (a, v) => Platform.putInt(null, a, v.toInt)
    case DType.Int64   => (a, v) => Platform.putLong(null, a, v.toLong)
    case DType.Float64 => (a, v) => Platform.putDouble(null, a, v.toDouble)
    case _             => (a, v) => Platform.putFloat(null, a, v)
  }

  /** ITU-R BT.601 of a pixel blue, green, red. */
  private def luminance(data: Array[Byte], at: Long): Float =
    0.299f * Platform.getFloat(data, at + 8) + 0.587f * Platform.getFloat(data, at + 4) +
      0.114f * Platform.getFloat(data, at)
}
