package org.sparkdl.image.vp8

/** Up to four kinds of macroblocks with their own quantizers and filters (RFC 6386, section 9.3).
  *
  * @param absolute
  *   whether these are instead of the frame's own, and not added to them
  * @param tree
  *   probabilities of a macroblock's segment, or null if all are of the first
  */
private[vp8] final case class Segments(
    used: Boolean,
    absolute: Boolean,
    quantizers: Array[Int],
    filters: Array[Int],
    tree: Array[Int]
) {

  /** What holds for a segment where the frame's own value is `whole`. */
  def value(ofSegments: Array[Int], segment: Int, whole: Int): Int =
    if (!used) whole else if (absolute) ofSegments(segment) else whole + ofSegments(segment)

  /** The segment of the next macroblock. */
  def next(modes: BooleanDecoder): Int =
    if (tree == null) 0
    else if (!modes.bit(tree(0))) { if (modes.bit(tree(1))) 1 else 0 }
    else if (modes.bit(tree(2))) 3
    else 2
}

private[vp8] object Segments {
  val Count = 4
  private val Unused = Segments(used = false, absolute = false, new Array(Count), new Array(Count), null)

  def read(first: BooleanDecoder): Segments =
    if (!first.flag()) Unused
    else {
      val mapped = first.flag()
      val valued = first.flag()
      val absolute = valued && first.flag()
      def values(bits: Int) = if (valued) Array.fill(Count)(first.optional(bits)) else new Array[Int](Count)
      val (quantizers, filters) = (values(7), values(6))
      val tree = if (mapped) Array.fill(Count - 1)(if (first.flag()) first.number(8) else 255) else null
      Segments(used = true, absolute, quantizers, filters, tree)
    }
}
