package org.sparkdl.image.vp8l

import org.sparkdl.image.failures.DecodingFailed

/** Numbers of some bits, the lowest first, from the bytes of `from` until `until`. */
private[vp8l] final class BitReader(bytes: Array[Byte], from: Int, until: Int) {
  private var next = from
  private var buffer = 0L
  private var available = 0

  /** The next bits, at most 32, which stay; behind the end they are zeros. */
  def peek(count: Int): Int = {
    if (available < count) load()
    (buffer & ((1L << count) - 1)).toInt
  }

  def skip(count: Int): Unit = {
    if (available < count) throw DecodingFailed.truncated()
    buffer >>>= count
    available -= count
  }

  def read(count: Int): Int = {
    val number = peek(count)
    skip(count)
    number
  }

  def flag(): Boolean = read(1) == 1

  private def load(): Unit =
    while (available <= 48 && next < until) {
      buffer |= (bytes(next) & 0xffL) << available
      available += 8
      next += 1
    }
}
