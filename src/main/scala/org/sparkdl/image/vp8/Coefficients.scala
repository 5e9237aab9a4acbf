package org.sparkdl.image.vp8

/** Reads the coefficients of one block, already multiplied by their quantizers (RFC 6386, section 13). */
private[vp8] final class Coefficients(probabilities: Array[Int]) {
  import Coefficients._

  /** @param kind
    *   of the block, see the objects of probabilities
    * @param context
    *   how many of the blocks above and to the left have coefficients
    * @param first
    *   index of the first coefficient that the block has
    * @param into
    *   zeros from `at` on, which become the coefficients by rows
    * @return
    *   the index behind the last coefficient that is not zero
    */
  def read(
      bits: BooleanDecoder,
      kind: Int,
      context: Int,
      first: Int,
      firstQuantizer: Int,
      quantizer: Int,
      into: Array[Int],
      at: Int
  ): Int = {
    val p = probabilities
    val ofKind = kind * PerKind
    var i = first
    var node = ofKind + bandStart(i) + context * PerContext
    while (bits.bit(p(node))) { // there are more
      while (!bits.bit(p(node + 1))) { // a zero, behind which the block cannot end
        i += 1
        if (i == 16) return 16
        node = ofKind + bandStart(i)
      }
      val next = ofKind + bandStart(i + 1)
      var size = 1
      if (bits.bit(p(node + 2))) {
        size = large(bits, node)
        node = next + 2 * PerContext
      } else node = next + PerContext
      val factor = if (i == 0) firstQuantizer else quantizer
      // In 16 bits, as other decoders keep them, where only damaged data has more.
      into(at + order(i)) = ((if (bits.flag()) -size else size) * factor).toShort.toInt
      i += 1
      if (i == 16) return 16
    }
    i
  }

  /** A size of 2 and more. */
  private def large(bits: BooleanDecoder, node: Int): Int = {
    val p = probabilities
    if (!bits.bit(p(node + 3))) {
      if (!bits.bit(p(node + 4))) 2 else if (bits.bit(p(node + 5))) 4 else 3
    } else if (!bits.bit(p(node + 6))) category(bits, if (bits.bit(p(node + 7))) 1 else 0)
    else if (!bits.bit(p(node + 8))) category(bits, if (bits.bit(p(node + 9))) 3 else 2)
    else category(bits, if (bits.bit(p(node + 10))) 5 else 4)
  }

  private def category(bits: BooleanDecoder, category: Int): Int = {
    val more = extra(category)
    var size = 0
    var i = 0
    while (i < more.length) {
      size = size << 1 | (if (bits.bit(more(i))) 1 else 0)
      i += 1
    }
    size + least(category)
  }
}

private[vp8] object Coefficients {
  final val LumaWithoutFirst = 0
  final val FirstOfLuma = 1
  final val Chroma = 2
  final val Luma = 3

  private final val PerContext = 11
  private final val PerKind = 8 * 3 * PerContext

  /** Where the probabilities of a coefficient begin; the last is for none, behind the block. */
  private val bandStart =
    Array(0, 1, 2, 3, 6, 4, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 0).map(_ * 3 * PerContext)

  /** Where the coefficients are in the block, row by row. */
  private val order = Array(0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15)

  /** Probabilities of the bits of the larger sizes, by category, and the least size of each. */
  private val extra = Array(
    Array(159),
    Array(165, 145),
    Array(173, 148, 140),
    Array(176, 155, 140, 135),
    Array(180, 157, 141, 134, 130),
    Array(254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129)
  )
  private val least = Array(5, 7, 11, 19, 35, 67)
}
