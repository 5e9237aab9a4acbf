package org.sparkdl.image.vp8

/** Coefficients back to differences of pixels (RFC 6386, section 14). */
private[vp8] object Transforms {

  /** The sine and cosine of an eighth of pi times the root of 2, the latter without its whole part, in 16 bits. */
  private final val Sine = 35468
  private final val Cosine = 20091

  /** The first coefficients of the 16 subblocks of luma from their own block, which is at `from` (section 14.3). */
  def firstCoefficients(block: Array[Int], from: Int): Unit = {
    var i = from
    while (i < from + 4) {
      val a = block(i) + block(i + 12)
      val b = block(i + 4) + block(i + 8)
      val c = block(i + 4) - block(i + 8)
      val d = block(i) - block(i + 12)
      block(i) = a + b
      block(i + 4) = c + d
      block(i + 8) = a - b
      block(i + 12) = d - c
      i += 1
    }
    i = 0
    while (i < 16) {
      val at = from + i
      val a = block(at) + block(at + 3) + 3
      val b = block(at + 1) + block(at + 2)
      val c = block(at + 1) - block(at + 2)
      val d = block(at) - block(at + 3) + 3
      block(16 * i) = (a + b) >> 3
      block(16 * i + 16) = (c + d) >> 3
      block(16 * i + 32) = (a - b) >> 3
      block(16 * i + 48) = (d - c) >> 3
      i += 4
    }
  }

  /** Adds the differences of a subblock, whose coefficients become zeros, to the pixels at `at` (section 14.4). */
  def add(block: Array[Int], from: Int, plane: Plane, at: Int): Unit = {
    var i = from
    while (i < from + 4) {
      val y = block(i + 4)
      val w = block(i + 12)
      val a = block(i) + block(i + 8)
      val b = block(i) - block(i + 8)
      val c = bySine(y) - byCosine(w)
      val d = byCosine(y) + bySine(w)
      block(i) = a + d
      block(i + 4) = b + c
      block(i + 8) = b - c
      block(i + 12) = a - d
      i += 1
    }
    i = 0
    while (i < 4) {
      val row = from + 4 * i
      val y = block(row + 1)
      val w = block(row + 3)
      val a = block(row) + 4 + block(row + 2)
      val b = block(row) + 4 - block(row + 2)
      val c = bySine(y) - byCosine(w)
      val d = byCosine(y) + bySine(w)
      val to = at + i * plane.stride
      change(plane.bytes, to, (a + d) >> 3)
      change(plane.bytes, to + 1, (b + c) >> 3)
      change(plane.bytes, to + 2, (b - c) >> 3)
      change(plane.bytes, to + 3, (a - d) >> 3)
      i += 1
    }
    java.util.Arrays.fill(block, from, from + 16, 0)
  }

  /** The same where only the first coefficient is not zero. */
  def addFirst(block: Array[Int], from: Int, plane: Plane, at: Int): Unit = {
    val difference = (block(from) + 4) >> 3
    block(from) = 0
    var y = 0
    while (y < 4) {
      val to = at + y * plane.stride
      change(plane.bytes, to, difference)
      change(plane.bytes, to + 1, difference)
      change(plane.bytes, to + 2, difference)
      change(plane.bytes, to + 3, difference)
      y += 1
    }
  }

  private def bySine(x: Int): Int = (x * Sine) >> 16
  private def byCosine(x: Int): Int = x + ((x * Cosine) >> 16)

  private def change(bytes: Array[Byte], at: Int, difference: Int): Unit =
    bytes(at) = Plane.limited((bytes(at) & 0xff) + difference)
}
