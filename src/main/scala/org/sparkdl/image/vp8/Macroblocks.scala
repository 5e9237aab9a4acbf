package org.sparkdl.image.vp8

import org.sparkdl.image.failures.DecodingFailed

/** Decodes the macroblocks of a frame, row by row: modes, coefficients, pixels. What is predicted from neighbours is
  * predicted from pixels that are not filtered yet.
  */
private[vp8] final class Macroblocks(header: FrameHeader, frame: Frame, filter: FrameFilter) {
  private val modes = new ModeReader(header)
  private val residue = new Residue(header)
  private val subblocks = new SubblockPrediction(frame.luma)

  def decode(): Unit = {
    var row = 0
    while (row < header.rows) {
      val bits = header.partitions(row % header.partitions.length)
      modes.startRow()
      residue.startRow()
      var column = 0
      while (column < header.columns) {
        decode(bits, column, row)
        column += 1
      }
      if (bits.exhausted || header.modes.exhausted) throw DecodingFailed.truncated()
      row += 1
    }
  }

  private def decode(bits: BooleanDecoder, column: Int, row: Int): Unit = {
    modes.read(column)
    val bySubblocks = modes.luma == Modes.Subblocks
    val some =
      if (modes.skipped) residue.skip(column, bySubblocks)
      else residue.read(bits, column, bySubblocks, header.quantizers(modes.segment))
    filter.note(column, row, modes.segment, bySubblocks, bySubblocks || some)
    val at = frame.luma.at(16 * column, 16 * row)
    if (bySubblocks) predictSubblocks(at, column, row)
    else {
      BlockPrediction.predict(frame.luma, at, 16, modes.luma, row > 0, column > 0)
      var i = 0
      while (some && i < 16) {
        residue.add(i, frame.luma, at + (i >> 2) * 4 * frame.luma.stride + (i & 3) * 4)
        i += 1
      }
    }
    chroma(frame.blue, 16, column, row, some)
    chroma(frame.red, 20, column, row, some)
  }

  private def predictSubblocks(at: Int, column: Int, row: Int): Unit = {
    val plane = frame.luma
    val right = at - plane.stride + 16
    if (row > 0 && column == header.columns - 1) // there is none to the right: its last pixel goes on
      java.util.Arrays.fill(plane.bytes, right, right + 4, plane.bytes(right - 1))
    var i = 0
    while (i < 16) {
      val to = at + (i >> 2) * 4 * plane.stride + (i & 3) * 4
      // To the right of the last column the pixels above the macroblock are taken for all rows.
      subblocks.predict(to, modes.subblocks(i), if ((i & 3) == 3) right else to - plane.stride + 4)
      residue.add(i, plane, to)
      i += 1
    }
  }

  private def chroma(plane: Plane, first: Int, column: Int, row: Int, some: Boolean): Unit = {
    val at = plane.at(8 * column, 8 * row)
    BlockPrediction.predict(plane, at, 8, modes.chroma, row > 0, column > 0)
    if (some) {
      residue.add(first, plane, at)
      residue.add(first + 1, plane, at + 4)
      residue.add(first + 2, plane, at + 4 * plane.stride)
      residue.add(first + 3, plane, at + 4 * plane.stride + 4)
    }
  }
}
