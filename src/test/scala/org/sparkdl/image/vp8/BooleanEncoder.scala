package org.sparkdl.image.vp8

import java.io.ByteArrayOutputStream

/** Writes what BooleanDecoder reads (RFC 6386, section 7.3). */
private[vp8] final class BooleanEncoder {
  private var low = BigInt(0)
  private var range = 255
  private var shifted = 0

  def write(one: Boolean, probability: Int): Unit = {
    val split = 1 + (((range - 1) * probability) >> 8)
    if (one) {
      low += split
      range -= split
    } else range = split
    while (range < 128) {
      range <<= 1
      low <<= 1
      shifted += 1
    }
  }

  /** All decisions, as bytes. */
  def bytes: Array[Byte] = {
    val padding = 8 - shifted % 8
    val out = new ByteArrayOutputStream
    val value = low << padding
    val count = (shifted + 8 + padding) / 8
    for (i <- count - 1 to 0 by -1) out.write(((value >> (8 * i)) & 0xff).toInt)
    out.toByteArray
  }
}
