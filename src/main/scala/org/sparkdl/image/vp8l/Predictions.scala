package org.sparkdl.image.vp8l

/** Pixels were replaced by their difference from a prediction, of which there are 14, by block (section 3.5.1). */
private[vp8l] final class Predictions(blocks: Array[Int], bits: Int, width: Int) extends Transform {
  import Predictions._

  private val across = PixelReader.blocks(width, bits)

  def undo(pixels: Array[Int]): Array[Int] = {
    pixels(0) = sum(pixels(0), Black)
    for (x <- 1 until width) pixels(x) = sum(pixels(x), pixels(x - 1))
    for (row <- width until pixels.length by width) {
      pixels(row) = sum(pixels(row), pixels(row - width))
      val block = (row / width >> bits) * across
      var x = 1
      while (x < width) {
        val i = row + x
        val mode = blocks(block + (x >> bits)) >> 8 & 15
        // Above and to the right of the last column is the first pixel of this row.
        pixels(i) = sum(
          pixels(i),
          predicted(mode, pixels(i - 1), pixels(i - width), pixels(i - width + 1), pixels(i - width - 1))
        )
        x += 1
      }
    }
    pixels
  }
}

private[vp8l] object Predictions {
  private final val Black = 0xff000000

  private def predicted(mode: Int, left: Int, top: Int, right: Int, corner: Int): Int = mode match {
    case 1  => left
    case 2  => top
    case 3  => right
    case 4  => corner
    case 5  => average(average(left, right), top)
    case 6  => average(left, corner)
    case 7  => average(left, top)
    case 8  => average(corner, top)
    case 9  => average(top, right)
    case 10 => average(average(left, corner), average(top, right))
    case 11 => nearer(left, top, corner)
    case 12 => each(shift => part(left, shift) + part(top, shift) - part(corner, shift))
    case 13 =>
      val middle = average(left, top)
      each(shift => part(middle, shift) + (part(middle, shift) - part(corner, shift)) / 2)
    case _ => Black
  }

  private def part(pixel: Int, shift: Int): Int = pixel >>> shift & 0xff

  @inline private def each(value: Int => Int): Int =
    limited(value(24)) << 24 | limited(value(16)) << 16 | limited(value(8)) << 8 | limited(value(0))

  private def limited(value: Int): Int = math.max(0, math.min(255, value))

  private def average(a: Int, b: Int): Int = (((a ^ b) & 0xfefefefe) >>> 1) + (a & b)

  /** Of each of the four parts, without what does not fit. */
  def sum(a: Int, b: Int): Int =
    (a & 0xff00ff00) + (b & 0xff00ff00) & 0xff00ff00 | (a & 0xff00ff) + (b & 0xff00ff) & 0xff00ff

  /** Whichever is nearer to left + top - corner. */
  private def nearer(left: Int, top: Int, corner: Int): Int =
    if (difference(top, corner) < difference(left, corner)) left else top

  private def difference(a: Int, b: Int): Int = {
    def of(shift: Int) = math.abs(part(a, shift) - part(b, shift))
    of(24) + of(16) + of(8) + of(0)
  }
}
