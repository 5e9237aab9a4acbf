package org.sparkdl.image.vp8

/** Smooths the edges of blocks (RFC 6386, section 15).
  *
  * All walk along an edge: `at` is its first pixel to the right of or below it, `across` the way from there to the
  * next pixel away from the edge, `along` that to the next pixel on the edge.
  */
private[vp8] object LoopFilter {

  /** The simple filter: changes one pixel on each side (section 15.2). */
  def simple(bytes: Array[Byte], at: Int, across: Int, along: Int, count: Int, limit: Int): Unit = {
    var i = 0
    var x = at
    while (i < count) {
      val p1 = bytes(x - 2 * across) & 0xff
      val p0 = bytes(x - across) & 0xff
      val q0 = bytes(x) & 0xff
      val q1 = bytes(x + across) & 0xff
      if (4 * math.abs(p0 - q0) + math.abs(p1 - q1) <= limit) two(bytes, x, across, p1, p0, q0, q1)
      x += along
      i += 1
    }
  }

  /** The normal filter: changes three pixels on each side of an edge of macroblocks, two of one inside (section
    * 15.3).
    */
  def normal(
      bytes: Array[Byte],
      at: Int,
      across: Int,
      along: Int,
      count: Int,
      strength: FilterStrength,
      inside: Boolean
  ): Unit = {
    val limit = if (inside) strength.subblock else strength.macroblock
    val interior = strength.interior
    val high = strength.high
    var i = 0
    var x = at
    while (i < count) {
      val p1 = bytes(x - 2 * across) & 0xff
      val p0 = bytes(x - across) & 0xff
      val q0 = bytes(x) & 0xff
      val q1 = bytes(x + across) & 0xff
      if (4 * math.abs(p0 - q0) + math.abs(p1 - q1) <= limit) {
        val p3 = bytes(x - 4 * across) & 0xff
        val p2 = bytes(x - 3 * across) & 0xff
        val q2 = bytes(x + 2 * across) & 0xff
        val q3 = bytes(x + 3 * across) & 0xff
        val left = math.abs(p1 - p0)
        val right = math.abs(q1 - q0)
        if (
          left <= interior && right <= interior && math.abs(p3 - p2) <= interior && math.abs(p2 - p1) <= interior &&
          math.abs(q3 - q2) <= interior && math.abs(q2 - q1) <= interior
        ) {
          if (left > high || right > high) two(bytes, x, across, p1, p0, q0, q1)
          else if (inside) four(bytes, x, across, p1, p0, q0, q1)
          else six(bytes, x, across, p2, p1, p0, q0, q1, q2)
        }
      }
      x += along
      i += 1
    }
  }

  private def two(bytes: Array[Byte], x: Int, across: Int, p1: Int, p0: Int, q0: Int, q1: Int): Unit = {
    val a = signed(3 * (q0 - p0) + signed(p1 - q1))
    bytes(x - across) = Plane.limited(p0 + eighth(a + 3))
    bytes(x) = Plane.limited(q0 - eighth(a + 4))
  }

  private def four(bytes: Array[Byte], x: Int, across: Int, p1: Int, p0: Int, q0: Int, q1: Int): Unit = {
    val a = signed(3 * (q0 - p0))
    val change = eighth(a + 4)
    val half = (change + 1) >> 1
    bytes(x - 2 * across) = Plane.limited(p1 + half)
    bytes(x - across) = Plane.limited(p0 + eighth(a + 3))
    bytes(x) = Plane.limited(q0 - change)
    bytes(x + across) = Plane.limited(q1 - half)
  }

  private def six(
      bytes: Array[Byte],
      x: Int,
      across: Int,
      p2: Int,
      p1: Int,
      p0: Int,
      q0: Int,
      q1: Int,
      q2: Int
  ): Unit = {
    val a = signed(3 * (q0 - p0) + signed(p1 - q1))
    val most = (27 * a + 63) >> 7
    val some = (18 * a + 63) >> 7
    val least = (9 * a + 63) >> 7
    bytes(x - 3 * across) = Plane.limited(p2 + least)
    bytes(x - 2 * across) = Plane.limited(p1 + some)
    bytes(x - across) = Plane.limited(p0 + most)
    bytes(x) = Plane.limited(q0 - most)
    bytes(x + across) = Plane.limited(q1 - some)
    bytes(x + 2 * across) = Plane.limited(q2 - least)
  }

  /** Limited to what a signed byte holds, and an eighth of that. */
  private def signed(x: Int): Int = math.max(-128, math.min(127, x))
  private def eighth(x: Int): Int = math.min(127, x) >> 3
}
