package org.sparkdl.image.vp8

/** Subblocks of 4 x 4 pixels of luma, each predicted in its own way (RFC 6386, section 12.3).
  *
  * All pixels of the modes with a direction are averages of two or three neighbours on the block's edge, which runs
  * from the lowest pixel to the left (0) over the corner (4) to the last of eight pixels above (12); the first and
  * the last stand twice. So all averages are made, and each mode is a table of which pixel gets which.
  */
private[vp8] final class SubblockPrediction(plane: Plane) {
  import SubblockPrediction._

  private val edge = new Array[Int](Edge + 2)
  private val averages = new Array[Byte](2 * (Edge + 1))

  /** Writes a subblock.
    *
    * @param right
    *   where the last four pixels above are
    */
  def predict(at: Int, mode: Int, right: Int): Unit =
    mode match {
      case Modes.SubAverage    => average(at)
      case Modes.SubTrueMotion => BlockPrediction.trueMotion(plane, at, 4)
      case _ =>
        readEdge(at, right)
        average()
        write(at, pixels(mode))
    }

  private def average(at: Int): Unit = {
    val bytes = plane.bytes
    var sum = 4
    var i = 0
    while (i < 4) {
      sum += (bytes(at - plane.stride + i) & 0xff) + (bytes(at + i * plane.stride - 1) & 0xff)
      i += 1
    }
    plane.fill(at, 4, sum >> 3)
  }

  private def readEdge(at: Int, right: Int): Unit = {
    val bytes = plane.bytes
    val stride = plane.stride
    var i = 0
    while (i < 4) {
      edge(4 - i) = bytes(at + i * stride - 1) & 0xff
      edge(6 + i) = bytes(at - stride + i) & 0xff
      edge(10 + i) = bytes(right + i) & 0xff
      i += 1
    }
    edge(5) = bytes(at - stride - 1) & 0xff
    edge(0) = edge(1)
    edge(Edge + 1) = edge(Edge)
  }

  private def average(): Unit = {
    var i = 0
    while (i <= Edge) {
      averages(i) = ((edge(i) + edge(i + 1) + 1) >> 1).toByte
      i += 1
    }
    i = 1
    while (i <= Edge) {
      averages(Edge + i) = ((edge(i - 1) + 2 * edge(i) + edge(i + 1) + 2) >> 2).toByte
      i += 1
    }
  }

  private def write(at: Int, which: Array[Byte]): Unit = {
    val bytes = plane.bytes
    var i = 0
    while (i < 16) {
      val to = at + (i >> 2) * plane.stride
      bytes(to) = averages(which(i))
      bytes(to + 1) = averages(which(i + 1))
      bytes(to + 2) = averages(which(i + 2))
      bytes(to + 3) = averages(which(i + 3))
      i += 4
    }
  }
}

private object SubblockPrediction {
  import Modes._

  private final val Edge = 13

  /** Where the average of an edge's pixel and the next is, and that of a pixel (twice) and both beside it. */
  private def two(first: Int): Int = first + 1
  private def three(middle: Int): Int = Edge + middle + 1

  /** For each mode which average a pixel gets. */
  private val pixels: Array[Array[Byte]] =
    Array.tabulate(10)(mode => Array.tabulate(16)(i => of(mode, i / 4, i % 4).toByte))

  private def of(mode: Int, y: Int, x: Int): Int = mode match {
    case SubVertical   => three(5 + x)
    case SubHorizontal => three(3 - y)
    case LeftDown      => three(6 + x + y)
    case RightDown     => three(4 + x - y)
    case VerticalRight =>
      if (2 * x < y - 1) three(5 - y) else if (y % 2 == 0) two(4 + x - y / 2) else three(4 + x - y / 2)
    case HorizontalDown =>
      if (2 * y < x - 1) three(3 + x) else if (x % 2 == 0) two(3 - y + x / 2) else three(4 - y + x / 2)
    case VerticalLeft =>
      if (x == 3 && y >= 2) three(8 + y) else if (y % 2 == 0) two(5 + x + y / 2) else three(6 + x + y / 2)
    case HorizontalUp => if (x + 2 * y > 5) two(-1) else if (x % 2 == 0) two(2 - y - x / 2) else three(2 - y - x / 2)
    case _            => 0 // not by averages of the edge
  }
}
