package org.sparkdl.image

import org.sparkdl.image.failures.DecodingFailed
import org.sparkdl.image.vp8l.Picture

/** The alpha of lossy WebP frames: a chunk of its own, plain or as the green of a lossless picture, of which each row
  * may have been predicted from its neighbours (WebP Container Specification, "Alpha").
  */
private[image] object WebpAlpha {
  private val Horizontal = 1
  private val Vertical = 2
  private val Gradient = 3

  /** @return
    *   a byte for each pixel of the frame
    */
  def read(bytes: Array[Byte], chunk: WebpChunk, width: Int, height: Int): Array[Byte] = {
    if (chunk.size < 1) throw DecodingFailed.truncated()
    val how = bytes(chunk.at)
    val alpha = how & 3 match {
      case 0 => plain(bytes, chunk, width * height)
      case 1 => green(bytes, chunk, width, height)
      case n => throw DecodingFailed.corrupt("sparkdl", s"unknown compression $n of alpha")
    }
    how >> 2 & 3 match {
      case Horizontal => horizontal(alpha, width)
      case Vertical   => vertical(alpha, width)
      case Gradient   => gradient(alpha, width)
      case _          =>
    }
    alpha
  }

  private def plain(bytes: Array[Byte], chunk: WebpChunk, size: Int): Array[Byte] =
    if (chunk.size - 1 < size) throw DecodingFailed.truncated()
    else java.util.Arrays.copyOfRange(bytes, chunk.at + 1, chunk.at + 1 + size)

  /** The lossless picture lacks its header, which would say its size again. */
  private def green(bytes: Array[Byte], chunk: WebpChunk, width: Int, height: Int): Array[Byte] =
    Picture.decode(bytes, chunk.at + 1, chunk.at + chunk.size, width, height).map(pixel => (pixel >> 8).toByte)

  private def horizontal(alpha: Array[Byte], width: Int): Unit = {
    firstColumn(alpha, width)
    for (row <- alpha.indices by width) differences(alpha, row, width)
  }

  private def vertical(alpha: Array[Byte], width: Int): Unit = {
    differences(alpha, 0, width)
    for (i <- width until alpha.length) alpha(i) = (alpha(i) + alpha(i - width)).toByte
  }

  private def gradient(alpha: Array[Byte], width: Int): Unit = {
    differences(alpha, 0, width)
    firstColumn(alpha, width)
    for (row <- width until alpha.length by width; i <- row + 1 until row + width) {
      val predicted = (alpha(i - 1) & 0xff) + (alpha(i - width) & 0xff) - (alpha(i - width - 1) & 0xff)
      alpha(i) = (alpha(i) + math.max(0, math.min(255, predicted))).toByte
    }
  }

  private def firstColumn(alpha: Array[Byte], width: Int): Unit =
    for (i <- width until alpha.length by width) alpha(i) = (alpha(i) + alpha(i - width)).toByte

  private def differences(alpha: Array[Byte], row: Int, width: Int): Unit =
    for (i <- row + 1 until row + width) alpha(i) = (alpha(i) + alpha(i - 1)).toByte
}
