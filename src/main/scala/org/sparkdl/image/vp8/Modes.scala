package org.sparkdl.image.vp8

/** How blocks are predicted from the pixels above and to the left (RFC 6386, section 8). */
private[vp8] object Modes {

  // Of macroblocks, and of their chroma.
  final val Average = 0
  final val Vertical = 1
  final val Horizontal = 2
  final val TrueMotion = 3

  /** Each subblock of luma in its own way. */
  final val Subblocks = 4

  // Of subblocks, in the order of SubblockModeProbabilities.
  final val SubAverage = 0
  final val SubTrueMotion = 1
  final val SubVertical = 2
  final val SubHorizontal = 3
  final val LeftDown = 4
  final val RightDown = 5
  final val VerticalRight = 6
  final val VerticalLeft = 7
  final val HorizontalDown = 8
  final val HorizontalUp = 9

  /** The mode that a macroblock in another one has for the subblocks beside it. */
  val ofSubblocks: Array[Byte] = Array(SubAverage, SubVertical, SubHorizontal, SubTrueMotion).map(_.toByte)
}

/** Reads the modes of macroblocks, row by row (RFC 6386, sections 11.2 to 11.5 and 19.3). */
private[vp8] final class ModeReader(header: FrameHeader) {
  import Modes._

  private val bits = header.modes
  private val above = new Array[Byte](4 * header.columns) // subblocks outside of the frame are averages
  private val left = new Array[Byte](4)

  var segment = 0
  var skipped = false
  var luma = 0
  var chroma = 0

  /** Of the subblocks, if `luma` says that they have their own. */
  val subblocks = new Array[Byte](16)

  def startRow(): Unit = java.util.Arrays.fill(left, SubAverage.toByte)

  def read(column: Int): Unit = {
    segment = header.segments.next(bits)
    skipped = header.noCoefficients >= 0 && bits.bit(header.noCoefficients)
    luma = lumaMode()
    if (luma == Subblocks) readSubblocks(4 * column)
    else {
      java.util.Arrays.fill(above, 4 * column, 4 * column + 4, ofSubblocks(luma))
      java.util.Arrays.fill(left, ofSubblocks(luma))
    }
    chroma = chromaMode()
  }

  private def lumaMode(): Int =
    if (!bits.bit(145)) Subblocks
    else if (!bits.bit(156)) { if (bits.bit(163)) Vertical else Average }
    else if (bits.bit(128)) TrueMotion
    else Horizontal

  private def chromaMode(): Int =
    if (!bits.bit(142)) Average else if (!bits.bit(114)) Vertical else if (bits.bit(183)) TrueMotion else Horizontal

  private def readSubblocks(first: Int): Unit = {
    var i = 0
    while (i < 16) {
      val mode = subblockMode(9 * (10 * above(first + i % 4) + left(i / 4))).toByte
      subblocks(i) = mode
      above(first + i % 4) = mode
      left(i / 4) = mode
      i += 1
    }
  }

  private def subblockMode(at: Int): Int = {
    val p = SubblockModeProbabilities.table
    if (!bits.bit(p(at))) SubAverage
    else if (!bits.bit(p(at + 1))) SubTrueMotion
    else if (!bits.bit(p(at + 2))) SubVertical
    else if (!bits.bit(p(at + 3))) {
      if (!bits.bit(p(at + 4))) SubHorizontal else if (bits.bit(p(at + 5))) VerticalRight else RightDown
    } else if (!bits.bit(p(at + 6))) LeftDown
    else if (!bits.bit(p(at + 7))) VerticalLeft
    else if (bits.bit(p(at + 8))) HorizontalUp
    else HorizontalDown
  }
}
