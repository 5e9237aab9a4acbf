package org.sparkdl.image.vp8l

import org.sparkdl.image.failures.DecodingFailed

/** A prefix code (section 3.7): short codes are looked up, longer ones followed bit by bit.
  *
  * @param table
  *   by the next bits: a symbol times 16 and the length of its code, or 0 for longer codes
  * @param counts
  *   of codes by length
  * @param symbols
  *   in the order of their codes
  */
private[vp8l] final class PrefixCode private (
    table: Array[Int],
    tableBits: Int,
    counts: Array[Int],
    symbols: Array[Int]
) {
  import PrefixCode._

  def next(bits: BitReader): Int = {
    val found = table(bits.peek(tableBits))
    if (found != 0) {
      bits.skip(found & 15)
      found >>> 4
    } else if (counts == null) symbols(0) // the only one takes no bits
    else longer(bits)
  }

  private def longer(bits: BitReader): Int = {
    val ahead = bits.peek(Longest)
    var (code, first, index, length) = (0, 0, 0, 1)
    while (length <= Longest) {
      code |= ahead >>> (length - 1) & 1
      val count = counts(length)
      if (code - first < count) {
        bits.skip(length)
        return symbols(index + code - first)
      }
      index += count
      first = (first + count) << 1
      code <<= 1
      length += 1
    }
    throw DecodingFailed.corrupt("sparkdl", "a prefix code is not whole") // which has been checked
  }
}

private[vp8l] object PrefixCode {
  private final val Longest = 15
  private final val LookedUp = 8

  /** The order in which the lengths of the code for lengths are stored. */
  private val order = Array(17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

  /** Reads a code for the symbols of 0 until `size` (sections 3.7.2.1.1 and 3.7.2.1.2). */
  def read(bits: BitReader, size: Int): PrefixCode =
    of(if (bits.flag()) simple(bits, size) else lengths(bits, size))

  private def simple(bits: BitReader, size: Int): Array[Int] = {
    val lengths = new Array[Int](math.max(size, 256))
    val two = bits.flag()
    lengths(bits.read(if (bits.flag()) 8 else 1)) = 1
    if (two) lengths(bits.read(8)) = 1
    if (lengths.drop(size).exists(_ > 0))
      throw DecodingFailed.corrupt("sparkdl", "a prefix code has symbols that there are not")
    lengths
  }

  private def lengths(bits: BitReader, size: Int): Array[Int] = {
    val ofLengths = new Array[Int](order.length)
    for (i <- 0 until 4 + bits.read(4)) ofLengths(order(i)) = bits.read(3)
    val code = of(ofLengths)
    var left = if (bits.flag()) 2 + bits.read(2 + 2 * bits.read(3)) else size
    if (left > size) throw DecodingFailed.corrupt("sparkdl", "a prefix code has symbols that there are not")
    val lengths = new Array[Int](size)
    var (symbol, last) = (0, 8)
    while (symbol < size && left > 0) {
      left -= 1
      val length = code.next(bits)
      if (length < 16) {
        lengths(symbol) = length
        symbol += 1
        if (length != 0) last = length
      } else {
        val (value, count) = length match {
          case 16 => (last, 3 + bits.read(2))
          case 17 => (0, 3 + bits.read(3))
          case 18 => (0, 11 + bits.read(7))
        }
        if (symbol + count > size)
          throw DecodingFailed.corrupt("sparkdl", "a prefix code has symbols that there are not")
        java.util.Arrays.fill(lengths, symbol, symbol + count, value)
        symbol += count
      }
    }
    lengths
  }

  private def of(lengths: Array[Int]): PrefixCode = {
    val symbols = lengths.indices.filter(lengths(_) > 0).sortBy(lengths(_)).toArray
    if (symbols.isEmpty) throw DecodingFailed.corrupt("sparkdl", "a prefix code has no symbols")
    if (symbols.length == 1) new PrefixCode(Array(0), 0, null, symbols)
    else {
      val counts = new Array[Int](Longest + 1)
      symbols.foreach(s => counts(lengths(s)) += 1)
      var free = 1
      for (length <- 1 to Longest) free = math.max(-1, 2 * free - counts(length))
      if (free != 0) throw DecodingFailed.corrupt("sparkdl", "a prefix code is not whole")
      val tableBits = math.min(LookedUp, lengths(symbols.last))
      new PrefixCode(table(lengths, symbols, tableBits), tableBits, counts, symbols)
    }
  }

  private def table(lengths: Array[Int], symbols: Array[Int], tableBits: Int): Array[Int] = {
    val table = new Array[Int](1 << tableBits)
    var (code, before) = (0, 0)
    for (symbol <- symbols if lengths(symbol) <= tableBits) {
      val length = lengths(symbol)
      code <<= length - before
      before = length
      val first = Integer.reverse(code) >>> (32 - length)
      for (i <- first until table.length by 1 << length) table(i) = symbol << 4 | length
      code += 1
    }
    table
  }
}
