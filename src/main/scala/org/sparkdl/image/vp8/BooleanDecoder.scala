package org.sparkdl.image.vp8

/** Reads decisions from the bytes of `from` until `until` (RFC 6386, section 7).
  *
  * Behind the last byte there are zeros, and [[exhausted]] says that some were read.
  */
private[vp8] final class BooleanDecoder(bytes: Array[Byte], from: Int, until: Int) {
  private var next = from
  private var value = 0L // less than range << bits
  private var bits = -8 // of value, below the eight that the range is compared with
  private var range = 255

  private var beyond = false

  def exhausted: Boolean = beyond

  /** Whether the next decision is 1, which has a probability of 1 - probability / 256. */
  def bit(probability: Int): Boolean = {
    if (bits < 0) load()
    val split = 1 + (((range - 1) * probability) >> 8)
    val least = split.toLong << bits
    val one = value >= least
    if (one) {
      value -= least
      range -= split
    } else range = split
    val shift = Integer.numberOfLeadingZeros(range) - 24
    range <<= shift
    bits -= shift
    one
  }

  def flag(): Boolean = bit(128)

  /** A number of that many bits, the highest first. */
  def number(count: Int): Int = {
    var (result, i) = (0, 0)
    while (i < count) {
      result = result << 1 | (if (flag()) 1 else 0)
      i += 1
    }
    result
  }

  /** A number and its sign. */
  def signed(count: Int): Int = {
    val size = number(count)
    if (flag()) -size else size
  }

  /** A number and its sign, or 0 where a flag says that there is none. */
  def optional(count: Int): Int = if (flag()) signed(count) else 0

  private def load(): Unit =
    if (next + 4 <= until) {
      val word = (bytes(next) & 0xff) << 24 | (bytes(next + 1) & 0xff) << 16 | (bytes(next + 2) & 0xff) << 8 |
        (bytes(next + 3) & 0xff)
      value = value << 32 | (word & 0xffffffffL)
      bits += 32
      next += 4
    } else {
      val byte = if (next < until) bytes(next) & 0xff else 0
      if (next >= until) beyond = true
      value = value << 8 | byte
      bits += 8
      next += 1
    }
}
