package org.sparkdl.image.vp8

import org.sparkdl.image.failures.DecodingFailed

/** What a key frame says before its macroblocks (RFC 6386, sections 9.2 to 9.11 and 19.2).
  *
  * @param quantizers
  *   of each segment
  * @param partitions
  *   the coefficients, row by row of macroblocks in turn
  * @param probabilities
  *   of coefficients
  * @param modes
  *   where the modes of macroblocks follow
  * @param noCoefficients
  *   the probability that a macroblock has coefficients, or -1 if none says that it has none
  */
private[vp8] final case class FrameHeader(
    width: Int,
    height: Int,
    segments: Segments,
    filter: FilterHeader,
    quantizers: Array[Quantizers],
    partitions: Array[BooleanDecoder],
    probabilities: Array[Int],
    modes: BooleanDecoder,
    noCoefficients: Int
) {
  val columns: Int = (width + 15) / 16
  val rows: Int = (height + 15) / 16
}

private[vp8] object FrameHeader {

  /** Bytes before the first partition: the frame's tag, its signature, width and height. */
  private val Plain = 10

  def read(bytes: Array[Byte], from: Int, until: Int): FrameHeader = {
    if (until - from < Plain) throw DecodingFailed.truncated()
    def u16(at: Int) = (bytes(from + at) & 0xff) | (bytes(from + at + 1) & 0xff) << 8
    val tag = u16(0) | (bytes(from + 2) & 0xff) << 16
    if ((tag & 1) != 0) throw DecodingFailed.corrupt("sparkdl", "it is no key frame")
    if ((tag >> 1 & 7) > 3)
      throw DecodingFailed.corrupt("sparkdl", s"it has version ${tag >> 1 & 7}; there are 0 to 3")
    if ((tag >> 4 & 1) == 0) throw DecodingFailed.corrupt("sparkdl", "it is not to be shown")
    val end = from + Plain + (tag >> 5)
    if (end > until) throw DecodingFailed.truncated()
    // The scales in the top bits of both sides are for who shows the picture.
    compressed(new BooleanDecoder(bytes, from + Plain, end), u16(6) & 0x3fff, u16(8) & 0x3fff, bytes, end, until)
  }

  private def compressed(
      first: BooleanDecoder,
      width: Int,
      height: Int,
      bytes: Array[Byte],
      end: Int,
      until: Int
  ): FrameHeader = {
    first.number(2) // the space of colours, and whether pixels need limiting: WebP has one space, and limits
    val segments = Segments.read(first)
    val filter = FilterHeader.read(first)
    val partitions = partitionsOf(1 << first.number(2), bytes, end, until)
    val quantizers = quantizersOf(first, segments)
    first.flag() // what later frames begin with
    val probabilities = probabilitiesOf(first)
    val noCoefficients = if (first.flag()) first.number(8) else -1
    if (first.exhausted) throw DecodingFailed.truncated()
    FrameHeader(width, height, segments, filter, quantizers, partitions, probabilities, first, noCoefficients)
  }

  /** The sizes of all but the last come before them, in three bytes each (section 9.5). */
  private def partitionsOf(count: Int, bytes: Array[Byte], at: Int, until: Int): Array[BooleanDecoder] = {
    var from = at + 3 * (count - 1)
    if (from > until) throw DecodingFailed.truncated()
    Array.tabulate(count) { i =>
      def byte(k: Int) = bytes(at + 3 * i + k) & 0xff
      val end = if (i == count - 1) until else math.min(until, from + (byte(0) | byte(1) << 8 | byte(2) << 16))
      val partition = new BooleanDecoder(bytes, from, end)
      from = end
      partition
    }
  }

  private def quantizersOf(first: BooleanDecoder, segments: Segments): Array[Quantizers] = {
    val index = first.number(7)
    val Array(a, b, c, d, e) = Array.fill(5)(first.optional(4))
    val changes = Quantizers.Changes(a, b, c, d, e)
    Array.tabulate(Segments.Count)(i => new Quantizers(segments.value(segments.quantizers, i, index), changes))
  }

  private def probabilitiesOf(first: BooleanDecoder): Array[Int] = {
    val update = UpdateProbabilities.table
    val probabilities = DefaultProbabilities.table.clone
    for (i <- probabilities.indices) if (first.bit(update(i))) probabilities(i) = first.number(8)
    probabilities
  }
}
