package org.sparkdl.image.vp8

/** Blocks of luma and chroma predicted as a whole (RFC 6386, sections 12.2 and 12.3). */
private[vp8] object BlockPrediction {

  /** Writes a block of `size` x `size` pixels.
    *
    * @param inside
    *   whether there is a block above, and one to the left
    */
  def predict(plane: Plane, at: Int, size: Int, mode: Int, insideAbove: Boolean, insideLeft: Boolean): Unit =
    mode match {
      case Modes.Average    => plane.fill(at, size, average(plane, at, size, insideAbove, insideLeft))
      case Modes.Vertical   => vertical(plane, at, size)
      case Modes.Horizontal => horizontal(plane, at, size)
      case Modes.TrueMotion => trueMotion(plane, at, size)
    }

  /** Of those pixels that are in the frame. */
  private def average(plane: Plane, at: Int, size: Int, insideAbove: Boolean, insideLeft: Boolean): Int = {
    val bytes = plane.bytes
    var (sum, count, i) = (0, 0, 0)
    while (i < size) {
      if (insideAbove) sum += bytes(at - plane.stride + i) & 0xff
      if (insideLeft) sum += bytes(at + i * plane.stride - 1) & 0xff
      i += 1
    }
    if (insideAbove) count += size
    if (insideLeft) count += size
    if (count == 0) 128 else (sum + count / 2) / count
  }

  private def vertical(plane: Plane, at: Int, size: Int): Unit = {
    var y = 0
    while (y < size) {
      System.arraycopy(plane.bytes, at - plane.stride, plane.bytes, at + y * plane.stride, size)
      y += 1
    }
  }

  private def horizontal(plane: Plane, at: Int, size: Int): Unit = {
    var y = 0
    while (y < size) {
      val row = at + y * plane.stride
      java.util.Arrays.fill(plane.bytes, row, row + size, plane.bytes(row - 1))
      y += 1
    }
  }

  /** The change along the row above, from the pixel to the left. Also for subblocks. */
  def trueMotion(plane: Plane, at: Int, size: Int): Unit = {
    val bytes = plane.bytes
    val above = at - plane.stride
    val corner = bytes(above - 1) & 0xff
    var y = 0
    while (y < size) {
      val row = at + y * plane.stride
      val change = (bytes(row - 1) & 0xff) - corner
      var x = 0
      while (x < size) {
        bytes(row + x) = Plane.limited((bytes(above + x) & 0xff) + change)
        x += 1
      }
      y += 1
    }
  }
}
