package org.sparkdl.image

import org.sparkdl.image.failures.DecodingFailed

/** The pixels of BMP files of every depth. */
private[image] object BmpPixels {

  def read(bytes: Array[Byte]): PixelSource = {
    val bmp = BmpHeader.parse(new ByteCursor(bytes, "BMP"))
    if (!bmp.runLengths) checkLength(bmp, bytes.length)
    val pixels = bmp.header.bits match {
      case 24                  => triples(bmp, bytes)
      case 16 | 32             => masked(bmp, bytes)
      case _ if bmp.runLengths => coloured(bmp, BmpRuns.indices(bmp, bytes))
      case _                   => coloured(bmp, indices(bmp, bytes))
    }
    PixelSource.ofArray(pixels, bmp.header.height, bmp.header.width, bmp.header.channels, bmp.header.bits == 24)
  }

  /** The last row needs no padding. */
  private def checkLength(bmp: BmpHeader, length: Int): Unit = {
    val lastRow = (bmp.header.width.toLong * bmp.header.bits + 7) / 8
    if (bmp.data + bmp.rowBytes * (bmp.header.height - 1) + lastRow > length) throw DecodingFailed.truncated()
  }

  /** Where a row of the picture begins in the file. */
  private def rowStart(bmp: BmpHeader, y: Int): Int =
    bmp.data + ((if (bmp.topDown) y else bmp.header.height - 1 - y) * bmp.rowBytes).toInt

  private def triples(bmp: BmpHeader, bytes: Array[Byte]): Array[Byte] = {
    val row = bmp.header.width * 3
    val pixels = new Array[Byte](bmp.header.height * row)
    for (y <- 0 until bmp.header.height) System.arraycopy(bytes, rowStart(bmp, y), pixels, y * row, row)
    pixels
  }

  private def masked(bmp: BmpHeader, bytes: Array[Byte]): Array[Byte] = {
    val (width, channels, size) = (bmp.header.width, bmp.header.channels, bmp.header.bits / 8)
    val masks = bmp.masks.take(channels).map(new BmpMask(_))
    val pixels = new Array[Byte](bmp.header.height * width * channels)
    var to = 0
    for (y <- 0 until bmp.header.height) {
      var from = rowStart(bmp, y)
      val end = from + width * size
      while (from < end) {
        val pixel = number(bytes, from, size)
        var channel = 0
        while (channel < channels) {
          pixels(to) = masks(channel)(pixel)
          to += 1
          channel += 1
        }
        from += size
      }
    }
    pixels
  }

  private def number(bytes: Array[Byte], at: Int, size: Int): Int = {
    val low = (bytes(at) & 0xff) | (bytes(at + 1) & 0xff) << 8
    if (size == 2) low else low | (bytes(at + 2) & 0xff) << 16 | (bytes(at + 3) & 0xff) << 24
  }

  private def indices(bmp: BmpHeader, bytes: Array[Byte]): Array[Byte] = {
    val (width, bits) = (bmp.header.width, bmp.header.bits)
    val (perByte, last) = (8 / bits, (1 << bits) - 1)
    val indices = new Array[Byte](bmp.header.height * width)
    for (y <- 0 until bmp.header.height) {
      val from = rowStart(bmp, y)
      var x = 0
      while (x < width) {
        val shift = 8 - bits * (1 + x % perByte)
        indices(y * width + x) = ((bytes(from + x / perByte) >> shift) & last).toByte
        x += 1
      }
    }
    indices
  }

  private def coloured(bmp: BmpHeader, indices: Array[Byte]): Array[Byte] = {
    val channels = bmp.header.channels
    val pixels = new Array[Byte](indices.length * channels)
    var i = 0
    while (i < indices.length) {
      val colour = 3 * (indices(i) & 0xff)
      if (channels == 1) pixels(i) = bmp.palette(colour)
      else System.arraycopy(bmp.palette, colour, pixels, 3 * i, 3)
      i += 1
    }
    pixels
  }
}

/** One channel of a pixel, as 0 to 255. */
private[image] final class BmpMask(mask: Int) {
  private val shift = Integer.numberOfTrailingZeros(mask)
  private val most = if (mask == 0) 1L else (mask & 0xffffffffL) >>> shift

  def apply(pixel: Int): Byte =
    if (mask == 0) 0 else (((pixel & mask & 0xffffffffL) >>> shift) * 255 / most).toByte
}
