package org.sparkdl.image

import org.sparkdl.image.failures.DecodingFailed

/** LZW as in TIFF: codes of 9 to 12 bits, the highest first, each for bytes that stood there before.
  *
  * What a code stands for are the bytes of an earlier code and the one behind them, which is where the next code was
  * unpacked to. So no dictionary of bytes is needed, only places in what is already unpacked.
  */
private[image] final class TiffLzw {
  import TiffLzw._

  private val starts = new Array[Int](Most)
  private val lengths = new Array[Int](Most)

  /** Unpacks the bytes of `from` until `until` into all of `out` from `first` until `last`. */
  def unpack(bytes: Array[Byte], from: Int, until: Int, out: Array[Byte], first: Int, last: Int): Unit = {
    var (at, buffer, bits) = (from, 0, 0)
    var (width, next) = (9, FirstFree)
    var (before, beforeLength) = (-1, 0)
    var to = first
    while (to < last) {
      while (bits < width) {
        if (at == until) throw DecodingFailed.truncated()
        buffer = buffer << 8 | (bytes(at) & 0xff)
        bits += 8
        at += 1
      }
      bits -= width
      val code = (buffer >>> bits) & ((1 << width) - 1)
      if (code == Clear) {
        width = 9
        next = FirstFree
        before = -1
      } else if (code == End) throw DecodingFailed.truncated()
      else {
        if (before >= 0 && next < Most) {
          starts(next) = before
          lengths(next) = beforeLength + 1
          next += 1
        }
        if (code >= next) throw DecodingFailed.corrupt("sparkdl", s"code $code of LZW comes too early")
        val length = if (code < Clear) 1 else math.min(lengths(code), last - to)
        if (code < Clear) out(to) = code.toByte else repeat(out, starts(code), to, length)
        before = to
        beforeLength = length
        to += length
        if (next >= (1 << width) - 1 && width < 12) width += 1
      }
    }
  }

  /** Byte by byte: the last one may be the first that is written here. */
  private def repeat(out: Array[Byte], from: Int, to: Int, length: Int): Unit = {
    var i = 0
    while (i < length) {
      out(to + i) = out(from + i)
      i += 1
    }
  }
}

private[image] object TiffLzw {
  private final val Clear = 256
  private final val End = 257
  private final val FirstFree = 258
  private final val Most = 4096

  /** Whether the codes begin with their lowest bits, as in files of very old programs. */
  def reversed(bytes: Array[Byte], from: Int, size: Int): Boolean =
    size >= 2 && bytes(from) == 0 && (bytes(from + 1) & 1) == 1
}
