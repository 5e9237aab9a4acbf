package org.sparkdl.image.vp8

/** The filter of a whole frame, macroblock by macroblock (RFC 6386, sections 15.1 to 15.3). */
private[vp8] final class FrameFilter(header: FrameHeader, frame: Frame) {

  /** By segment, and whether macroblocks are predicted by subblocks. */
  private val strengths =
    Array.tabulate(2 * Segments.Count)(i => header.filter.strength(header.segments, i / 2, i % 2 == 1))

  /** What each macroblock needs: its place in `strengths`, and whether the edges inside of it are smoothed, too. */
  private val needs = new Array[Byte](header.columns * header.rows)

  def note(column: Int, row: Int, segment: Int, subblocks: Boolean, inside: Boolean): Unit =
    needs(row * header.columns + column) =
      (2 * segment + (if (subblocks) 1 else 0) + (if (inside) Inside else 0)).toByte

  def apply(): Unit =
    if (header.filter.level > 0) {
      var (row, i) = (0, 0)
      while (row < header.rows) {
        var column = 0
        while (column < header.columns) {
          val strength = strengths(needs(i) & (Inside - 1))
          if (strength.level > 0) filter(column, row, strength, needs(i) >= Inside)
          i += 1
          column += 1
        }
        row += 1
      }
    }

  private final val Inside = 8

  private def filter(column: Int, row: Int, strength: FilterStrength, inside: Boolean): Unit =
    if (header.filter.simple) simple(frame.luma, column, row, strength, inside)
    else {
      normal(frame.luma, 16, column, row, strength, inside)
      normal(frame.blue, 8, column, row, strength, inside)
      normal(frame.red, 8, column, row, strength, inside)
    }

  private def simple(plane: Plane, column: Int, row: Int, strength: FilterStrength, inside: Boolean): Unit = {
    val (bytes, stride, at) = (plane.bytes, plane.stride, plane.at(16 * column, 16 * row))
    if (column > 0) LoopFilter.simple(bytes, at, 1, stride, 16, strength.macroblock)
    if (inside) for (i <- 4 until 16 by 4) LoopFilter.simple(bytes, at + i, 1, stride, 16, strength.subblock)
    if (row > 0) LoopFilter.simple(bytes, at, stride, 1, 16, strength.macroblock)
    if (inside) for (i <- 4 until 16 by 4) LoopFilter.simple(bytes, at + i * stride, stride, 1, 16, strength.subblock)
  }

  private def normal(plane: Plane, size: Int, column: Int, row: Int, s: FilterStrength, inside: Boolean): Unit = {
    val (bytes, stride, at) = (plane.bytes, plane.stride, plane.at(size * column, size * row))
    if (column > 0) LoopFilter.normal(bytes, at, 1, stride, size, s, inside = false)
    if (inside) insideOf(bytes, at, 1, stride, size, s)
    if (row > 0) LoopFilter.normal(bytes, at, stride, 1, size, s, inside = false)
    if (inside) insideOf(bytes, at, stride, 1, size, s)
  }

  private def insideOf(bytes: Array[Byte], at: Int, across: Int, along: Int, size: Int, s: FilterStrength): Unit = {
    var i = 4
    while (i < size) {
      LoopFilter.normal(bytes, at + i * across, across, along, size, s, inside = true)
      i += 4
    }
  }
}
