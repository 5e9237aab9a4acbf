package org.sparkdl.image

import java.util.zip.{DataFormatException, Inflater}

import org.sparkdl.image.failures.DecodingFailed

/** The pictures of most TIFF files: grey or RGB, with or without alpha, a byte for each number, pixel by pixel; as
  * they are, by LZW or by Deflate.
  */
private[image] final class TiffBytes(tiff: TiffHeader, bytes: Array[Byte]) {
  import TiffBytes._

  private val (canvas, blocks) = (tiff.header, tiff.blocks)
  private val channels = canvas.channels
  private val pixels = new Array[Byte](canvas.height * canvas.width * channels)
  private lazy val lzw = new TiffLzw
  private val differences = tiff.directory.number(TiffTags.Predictor, 1) == 2

  def read(): PixelSource = {
    val across = (canvas.width + blocks.width - 1) / blocks.width
    val tile = if (blocks.tiled) new Array[Byte](blocks.height * blocks.width * channels) else null
    for (i <- blocks.offsets.indices) {
      val top = i / across * blocks.height
      if (tile == null) strip(i, top) else this.tile(i, top, i % across * blocks.width, tile)
    }
    PixelSource.ofArray(pixels, canvas.height, canvas.width, channels, blueFirst = false)
  }

  private def strip(i: Int, top: Int): Unit = {
    val row = canvas.width * channels
    unpack(i, pixels, top * row, math.min(canvas.height, top + blocks.height) * row, row)
  }

  private def tile(i: Int, top: Int, left: Int, tile: Array[Byte]): Unit = {
    val row = blocks.width * channels
    unpack(i, tile, 0, tile.length, row)
    val size = math.min(blocks.width, canvas.width - left) * channels
    for (y <- 0 until math.min(blocks.height, canvas.height - top))
      System.arraycopy(tile, y * row, pixels, ((top + y) * canvas.width + left) * channels, size)
  }

  /** A block of rows into all of `out` from `first` until `last`. */
  private def unpack(i: Int, out: Array[Byte], first: Int, last: Int, row: Int): Unit = {
    val (from, size) = (blocks.offsets(i).toInt, blocks.sizes(i).toInt)
    tiff.compression match {
      case Plain if size < last - first => throw DecodingFailed.truncated()
      case Plain                        => System.arraycopy(bytes, from, out, first, last - first)
      case Lzw                          => lzw.unpack(bytes, from, from + size, out, first, last)
      case _                            => inflate(from, size, out, first, last)
    }
    if (differences) for (at <- first until last by row) add(out, at, at + row)
  }

  private def inflate(from: Int, size: Int, out: Array[Byte], first: Int, last: Int): Unit = {
    val inflater = new Inflater
    try {
      inflater.setInput(bytes, from, size)
      var to = first
      while (to < last) {
        val count = inflater.inflate(out, to, last - to)
        if (count == 0) throw DecodingFailed.truncated()
        to += count
      }
    } catch {
      case e: DataFormatException => throw DecodingFailed.corrupt("sparkdl", e.getMessage)
    } finally inflater.end()
  }

  /** Numbers that are stored as the difference from the pixel to the left. */
  private def add(out: Array[Byte], from: Int, until: Int): Unit = {
    var i = from + channels
    while (i < until) {
      out(i) = (out(i) + out(i - channels)).toByte
      i += 1
    }
  }
}

private[image] object TiffBytes {
  private val Plain = 1
  private val Lzw = 5
  private val compressions = Set(Plain, Lzw, 8, 32946)

  /** Whether a picture is one of these. */
  def suit(tiff: TiffHeader, bytes: Array[Byte]): Boolean = {
    def is(tag: Int, value: Long) = tiff.directory.number(tag, value) == value
    val predictor = tiff.directory.number(TiffTags.Predictor, 1)
    tiff.header.bits == 8 && tiff.samples == tiff.header.channels && !tiff.timesAlpha &&
    (tiff.photometric == TiffHeader.Grey || tiff.photometric == TiffHeader.Rgb) && compressions(tiff.compression) &&
    (tiff.samples == 1 || is(TiffTags.Planes, 1)) && is(TiffTags.BitOrder, 1) && (predictor == 1 || predictor == 2) &&
    !(tiff.compression == Lzw && TiffLzw.reversed(bytes, tiff.blocks.offsets(0).toInt, tiff.blocks.sizes(0).toInt))
  }
}
