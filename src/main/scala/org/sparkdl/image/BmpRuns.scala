package org.sparkdl.image

import org.sparkdl.image.failures.DecodingFailed

/** Pixels of run-length compressed BMP files, as indices into the colour table. */
private[image] object BmpRuns {

  private val EndOfRow = 0
  private val EndOfPicture = 1
  private val Jump = 2

  /** The indices row by row from the top; those that the file leaves out are 0. */
  def indices(bmp: BmpHeader, bytes: Array[Byte]): Array[Byte] = new BmpRuns(bmp, bytes).read()
}

private[image] final class BmpRuns(bmp: BmpHeader, bytes: Array[Byte]) {
  import BmpRuns._

  private val (width, height, bits) = (bmp.header.width, bmp.header.height, bmp.header.bits)
  private val out = new Array[Byte](width * height)
  private var at = bmp.data
  private var x = 0
  private var row = 0 // counted as stored

  private def read(): Array[Byte] = {
    var open = true
    while (open && row < height) {
      if (at >= bytes.length && row == height - 1 && x >= width) open = false // complete without an end mark
      else {
        val count = next()
        val value = next()
        if (count > 0) run(count, value)
        else if (value == EndOfPicture) open = false
        else escape(value)
      }
    }
    out
  }

  private def next(): Int = {
    if (at >= bytes.length) throw DecodingFailed.truncated()
    at += 1
    bytes(at - 1) & 0xff
  }

  /** The same index again and again; with 4 bits, two in turns. */
  private def run(count: Int, value: Int): Unit =
    for (i <- 0 until count) put(if (bits == 8) value else nibble(value, i))

  private def escape(code: Int): Unit = code match {
    case EndOfRow => x = 0; row += 1
    case Jump     => x += next(); row += next()
    case count    => literal(count)
  }

  /** Indices one by one, padded to an even number of bytes. */
  private def literal(count: Int): Unit = {
    val size = (count * bits + 7) / 8
    var byte = 0
    for (i <- 0 until count) {
      if (bits == 8 || i % 2 == 0) byte = next()
      put(if (bits == 8) byte else nibble(byte, i))
    }
    if (size % 2 == 1 && at < bytes.length) at += 1
  }

  private def nibble(byte: Int, i: Int): Int = if (i % 2 == 0) byte >> 4 else byte & 0xf

  /** What leaves the picture is left out. */
  private def put(index: Int): Unit = {
    if (x < width && row < height) out((if (bmp.topDown) row else height - 1 - row) * width + x) = index.toByte
    x += 1
  }
}
