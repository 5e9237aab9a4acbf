package org.sparkdl.image

import org.apache.spark.unsafe.Platform

/** Decoded pixels in memory: uint8, row-major, channels interleaved.
  *
  * @param base
  *   a byte array, or null for native memory (as in Spark's `Platform`)
  * @param channels
  *   1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha; alpha comes last
  * @param blueFirst
  *   whether colour pixels begin with blue
  */
private[image] final class PixelSource(
    val base: AnyRef,
    val offset: Long,
    val height: Int,
    val width: Int,
    val channels: Int,
    val blueFirst: Boolean
) {
  def rowBytes: Int = width * channels
  def colour: Boolean = channels >= 3
}

private[image] object PixelSource {
  def ofArray(bytes: Array[Byte], height: Int, width: Int, channels: Int, blueFirst: Boolean): PixelSource =
    new PixelSource(bytes, Platform.BYTE_ARRAY_OFFSET.toLong, height, width, channels, blueFirst)
}
