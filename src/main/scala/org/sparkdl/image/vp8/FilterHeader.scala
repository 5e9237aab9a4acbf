package org.sparkdl.image.vp8

/** How the edges of blocks are smoothed (RFC 6386, sections 9.3, 9.6 and 15.2).
  *
  * @param simple
  *   whether by the simple filter, which leaves chroma alone
  * @param level
  *   0 to 63; 0 is not at all, whatever the segments say
  * @param ofFrame
  *   what is added to the level of macroblocks that are predicted from their own frame, as all are in a key frame
  * @param ofSubblocks
  *   and of those that are predicted by subblocks
  */
private[vp8] final case class FilterHeader(
    simple: Boolean,
    level: Int,
    sharpness: Int,
    ofFrame: Int,
    ofSubblocks: Int
) {

  /** The strength in a segment. */
  def strength(segments: Segments, segment: Int, subblocks: Boolean): FilterStrength = {
    val own = segments.value(segments.filters, segment, level) + ofFrame + (if (subblocks) ofSubblocks else 0)
    FilterStrength.of(math.max(0, math.min(63, own)), sharpness)
  }
}

private[vp8] object FilterHeader {

  def read(first: BooleanDecoder): FilterHeader = {
    val simple = first.flag()
    val (level, sharpness) = (first.number(6), first.number(3))
    val changed = first.flag() && first.flag()
    // Of four references and four modes each; the others are of frames that are no key frames.
    val changes = if (changed) Array.fill(8)(first.optional(6)) else new Array[Int](8)
    FilterHeader(simple, level, sharpness, changes(0), changes(4))
  }
}

/** How different pixels may be to be smoothed (RFC 6386, sections 15.2 to 15.4).
  *
  * @param macroblock
  *   limit across an edge of a macroblock: of four times the difference beside it and once that of the next pixels
  * @param subblock
  *   the same for an edge inside of one
  * @param interior
  *   limit of the difference of neighbours on one side
  * @param high
  *   above which neighbours on one side differ so much that only the pixels at the edge are changed
  */
private[vp8] final case class FilterStrength(level: Int, macroblock: Int, subblock: Int, interior: Int, high: Int)

private[vp8] object FilterStrength {
  def of(level: Int, sharpness: Int): FilterStrength = {
    val shifted = if (sharpness > 4) level >> 2 else if (sharpness > 0) level >> 1 else level
    val interior = math.max(1, if (sharpness > 0) math.min(shifted, 9 - sharpness) else shifted)
    val limit = 2 * level + interior
    // The RFC halves the second difference and rounds down; twice the limit and 1 more is the same without rounding.
    FilterStrength(
      level,
      2 * (limit + 4) + 1,
      2 * limit + 1,
      interior,
      if (level >= 40) 2 else if (level >= 15) 1 else 0
    )
  }
}
