package org.sparkdl.image.vp8

/** What is added to the prediction of a macroblock: 16 blocks of luma, 4 and 4 of chroma, and one of luma's first
  * coefficients (RFC 6386, sections 13.3 and 14).
  */
private[vp8] final class Residue(header: FrameHeader) {
  import Residue._

  private val coefficients = new Coefficients(header.probabilities)
  private val blocks = new Array[Int](16 * 25)

  /** By block: whether there is nothing, only a first coefficient, or more. */
  private val amounts = new Array[Byte](24)

  // Whether the blocks above and to the left have coefficients: four of luma, two and two of chroma, one of the firsts.
  private val above = new Array[Byte](PerMacroblock * header.columns)
  private val left = new Array[Byte](PerMacroblock)

  def startRow(): Unit = java.util.Arrays.fill(left, 0.toByte)

  /** A macroblock without coefficients; returns whether it has any. */
  def skip(column: Int, bySubblocks: Boolean): Boolean = {
    val count = if (bySubblocks) Firsts else PerMacroblock // those of the firsts are remembered beyond it
    val at = PerMacroblock * column
    java.util.Arrays.fill(above, at, at + count, 0.toByte)
    java.util.Arrays.fill(left, 0, count, 0.toByte)
    java.util.Arrays.fill(amounts, Nothing)
    false
  }

  /** Reads a macroblock; returns whether it has coefficients. */
  def read(bits: BooleanDecoder, column: Int, bySubblocks: Boolean, q: Quantizers): Boolean = {
    val at = PerMacroblock * column
    val luma =
      if (bySubblocks) readBlocks(bits, 0, 4, Coefficients.Luma, 0, q.lumaFirst, q.luma, at, 0)
      else {
        readFirsts(bits, at, q)
        readBlocks(bits, 0, 4, Coefficients.LumaWithoutFirst, 1, q.lumaFirst, q.luma, at, 0)
      }
    val blue = readBlocks(bits, 16, 2, Coefficients.Chroma, 0, q.chromaFirst, q.chroma, at, 4)
    val red = readBlocks(bits, 20, 2, Coefficients.Chroma, 0, q.chromaFirst, q.chroma, at, 6)
    luma | blue | red
  }

  private def readFirsts(bits: BooleanDecoder, at: Int, q: Quantizers): Unit = {
    val context = above(at + Firsts) + left(Firsts)
    val end = coefficients.read(bits, Coefficients.FirstOfLuma, context, 0, q.secondFirst, q.second, blocks, 16 * 24)
    val some = (if (end > 0) 1 else 0).toByte
    above(at + Firsts) = some
    left(Firsts) = some
    if (end > 0) {
      Transforms.firstCoefficients(blocks, 16 * 24)
      java.util.Arrays.fill(blocks, 16 * 24, 16 * 25, 0)
    }
  }

  /** A square of blocks, `side` in a row; returns whether there is anything. */
  private def readBlocks(
      bits: BooleanDecoder,
      block: Int,
      side: Int,
      kind: Int,
      first: Int,
      firstQuantizer: Int,
      quantizer: Int,
      column: Int,
      context: Int
  ): Boolean = {
    var some = false
    var y = 0
    while (y < side) {
      var x = 0
      var beside = left(context + y).toInt
      while (x < side) {
        val i = block + y * side + x
        val up = column + context + x
        val end =
          coefficients.read(bits, kind, beside + above(up), first, firstQuantizer, quantizer, blocks, 16 * i)
        beside = if (end > first) 1 else 0
        above(up) = beside.toByte
        amounts(i) = if (end > 1) More else if (blocks(16 * i) != 0) OnlyFirst else Nothing
        some |= amounts(i) != Nothing
        x += 1
      }
      left(context + y) = beside.toByte
      y += 1
    }
    some
  }

  /** Adds a block to the pixels at `at`. */
  def add(block: Int, plane: Plane, at: Int): Unit =
    if (amounts(block) == More) Transforms.add(blocks, 16 * block, plane, at)
    else if (amounts(block) == OnlyFirst) Transforms.addFirst(blocks, 16 * block, plane, at)
}

private object Residue {
  private final val PerMacroblock = 9
  private final val Firsts = 8

  private final val Nothing: Byte = 0
  private final val OnlyFirst: Byte = 1
  private final val More: Byte = 2
}
