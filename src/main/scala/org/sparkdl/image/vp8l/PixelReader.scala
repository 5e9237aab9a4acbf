package org.sparkdl.image.vp8l

import org.sparkdl.image.failures.DecodingFailed

/** Reads pixels (alpha, red, green and blue in one number) that are new, in a cache of recent colours, or copies of
  * earlier ones (sections 3.5 to 3.7).
  */
private[vp8l] object PixelReader {

  /** Codes for green, lengths and the cache; red; blue; alpha; distances. */
  private final class Codes(bits: BitReader, cacheSize: Int) {
    val green: PrefixCode = PrefixCode.read(bits, Literals + Lengths + cacheSize)
    val red: PrefixCode = PrefixCode.read(bits, Literals)
    val blue: PrefixCode = PrefixCode.read(bits, Literals)
    val alpha: PrefixCode = PrefixCode.read(bits, Literals)
    val distance: PrefixCode = PrefixCode.read(bits, Distances)
  }

  private final val Literals = 256
  private final val Lengths = 24
  private final val Distances = 40

  /** @param whole
    *   whether it is the picture and not one that the picture is decoded by: its blocks may have codes of their own
    */
  def read(bits: BitReader, width: Int, height: Int, whole: Boolean): Array[Int] = {
    val cacheBits = if (bits.flag()) bits.read(4) else 0
    if (cacheBits > 11) throw DecodingFailed.corrupt("sparkdl", s"a cache has $cacheBits bits; there are 1 to 11")
    val cacheSize = if (cacheBits == 0) 0 else 1 << cacheBits
    val blockBits = if (whole && bits.flag()) 2 + bits.read(3) else 31
    val across = blocks(width, blockBits)
    val codesOf =
      if (blockBits == 31) Array(0)
      else read(bits, across, blocks(height, blockBits), whole = false).map(_ >>> 8 & 0xffff)
    val codes = Array.fill(codesOf.max + 1)(new Codes(bits, cacheSize))
    val pixels = new Array[Int](width * height)
    val cache = new Array[Int](cacheSize)
    var (i, known) = (0, 0) // the pixels until `known` are in the cache
    while (i < pixels.length) {
      val c =
        if (codes.length == 1) codes(0)
        else codes(codesOf((i / width >> blockBits) * across + (i % width >> blockBits)))
      val green = c.green.next(bits)
      if (green < Literals) {
        val red = c.red.next(bits)
        val blue = c.blue.next(bits)
        pixels(i) = c.alpha.next(bits) << 24 | red << 16 | green << 8 | blue
        i += 1
      } else if (green < Literals + Lengths) {
        val length = number(green - Literals, bits)
        val distance = Distance.of(number(c.distance.next(bits), bits), width)
        if (distance > i || length > pixels.length - i)
          throw DecodingFailed.corrupt("sparkdl", "it repeats pixels that there are not")
        var k = 0
        while (k < length) {
          pixels(i + k) = pixels(i + k - distance)
          k += 1
        }
        i += length
      } else {
        known = remember(pixels, known, i, cache, cacheBits)
        pixels(i) = cache(green - Literals - Lengths)
        i += 1
      }
    }
    pixels
  }

  def blocks(size: Int, bits: Int): Int = if (bits == 31) 1 else (size + (1 << bits) - 1) >> bits

  private def remember(pixels: Array[Int], from: Int, until: Int, cache: Array[Int], bits: Int): Int = {
    var i = from
    while (i < until) {
      cache((pixels(i) * 0x1e35a7bd) >>> (32 - bits)) = pixels(i)
      i += 1
    }
    until
  }

  /** A length or distance: the symbol says how many bits follow (section 3.6.2.2). */
  private def number(symbol: Int, bits: BitReader): Int =
    if (symbol < 4) symbol + 1
    else {
      val more = (symbol - 2) >> 1
      ((2 + symbol % 2) << more) + bits.read(more) + 1
    }
}

/** Distances of copies: the first 120 are of pixels near in rows above (section 3.6.2.2). */
private[vp8l] object Distance {

  /** Columns to the left and rows above of each. */
  private val near = """
    0 1  1 0  1 1  -1 1  0 2  2 0  1 2  -1 2  2 1  -2 1  2 2  -2 2  0 3  3 0  1 3  -1 3  3 1  -3 1  2 3  -2 3
    3 2  -3 2  0 4  4 0  1 4  -1 4  4 1  -4 1  3 3  -3 3  2 4  -2 4  4 2  -4 2  0 5  3 4  -3 4  4 3  -4 3  5 0
    1 5  -1 5  5 1  -5 1  2 5  -2 5  5 2  -5 2  4 4  -4 4  3 5  -3 5  5 3  -5 3  0 6  6 0  1 6  -1 6  6 1  -6 1
    2 6  -2 6  6 2  -6 2  4 5  -4 5  5 4  -5 4  3 6  -3 6  6 3  -6 3  0 7  7 0  1 7  -1 7  5 5  -5 5  7 1  -7 1
    4 6  -4 6  6 4  -6 4  2 7  -2 7  7 2  -7 2  3 7  -3 7  7 3  -7 3  5 6  -5 6  6 5  -6 5  8 0  4 7  -4 7  7 4
    -7 4  8 1  8 2  6 6  -6 6  8 3  5 7  -5 7  7 5  -7 5  8 4  6 7  -6 7  7 6  -7 6  8 5  7 7  -7 7  8 6  8 7
  """.trim.split("\\s+").map(_.toInt)

  def of(number: Int, width: Int): Int =
    if (number > 120) number - 120 else math.max(1, near(2 * number - 2) + near(2 * number - 1) * width)
}
