package org.sparkdl.image.vp8

/** A plane of luma or chroma, in whole macroblocks, with what is predicted from outside of the frame: 127 above it
  * and 129 to its left (RFC 6386, section 12.2).
  */
private[vp8] final class Plane(val width: Int, val height: Int) {
  import Plane._

  val stride: Int = Left + width + Right
  val bytes: Array[Byte] = new Array[Byte]((height + 1) * stride)

  java.util.Arrays.fill(bytes, 0, stride, 127.toByte)
  for (y <- 0 until height) bytes(at(0, y) - 1) = 129.toByte

  /** Where a pixel is. */
  def at(x: Int, y: Int): Int = (y + 1) * stride + Left + x

  def fill(at: Int, size: Int, value: Int): Unit = {
    var y = 0
    while (y < size) {
      val row = at + y * stride
      java.util.Arrays.fill(bytes, row, row + size, value.toByte)
      y += 1
    }
  }
}

private[vp8] object Plane {
  private final val Left = 1

  /** Subblocks are also predicted from four pixels above and to the right. */
  private final val Right = 4

  def limited(value: Int): Byte =
    (if ((value & ~0xff) == 0) value else if (value < 0) 0 else 255).toByte
}
