package org.sparkdl.image

import org.apache.spark.unsafe.Platform

import org.sparkdl.image.failures.DecodingFailed
import org.sparkdl.runtime.NativeRuntime

/** The picture of a TIFF whose strips or tiles are JPEG files without their tables, which stand once in the
  * directory. TensorFlow decodes them, as it does JPEG files.
  */
private[image] final class TiffJpeg(
    runtime: NativeRuntime,
    worker: DecodeWorker,
    tiff: TiffHeader,
    bytes: Array[Byte]
) {
  private val (canvas, blocks) = (tiff.header, tiff.blocks)
  private val pixels = new Array[Byte](canvas.height * canvas.width * canvas.channels)

  def read(): PixelSource = {
    checkColours()
    val across = (canvas.width + blocks.width - 1) / blocks.width
    for (i <- blocks.offsets.indices) block(i, i / across * blocks.height, i % across * blocks.width)
    PixelSource.ofArray(pixels, canvas.height, canvas.width, canvas.channels, blueFirst = false)
  }

  private def checkColours(): Unit = {
    val known = tiff.photometric match {
      case TiffHeader.Grey                   => tiff.samples == 1
      case TiffHeader.Rgb | TiffHeader.YCbCr => tiff.samples == 3
      case TiffHeader.Cmyk                   => true
      case _                                 => false
    }
    if (!known || tiff.header.bits != 8 || tiff.directory.number(TiffTags.Planes, 1) != 1)
      throw DecodingFailed.corrupt(
        "sparkdl",
        "with JPEG compression, only grey, RGB, YCbCr and CMYK of 8 bits are supported"
      )
  }

  private def block(i: Int, top: Int, left: Int): Unit = {
    val file = withTables(blocks.offsets(i).toInt, blocks.sizes(i).toInt)
    val header = JpegHeader.parse(new ByteCursor(file, "TIFF with JPEG compression"))
    if (header.width > blocks.width || header.height > blocks.height || header.channels != canvas.channels)
      throw DecodingFailed.corrupt(
        "sparkdl",
        s"a block has ${header.width}x${header.height}x${header.channels} pixels"
      )
    val tensor = worker.decode(runtime, "JPEG", 1, file, file.length)
    try {
      val (height, width) =
        (math.min(header.height, canvas.height - top), math.min(header.width, canvas.width - left))
      for (y <- 0 until height) {
        val from = tensor.address + y.toLong * header.width * header.channels
        val to = Platform.BYTE_ARRAY_OFFSET + ((top + y) * canvas.width + left).toLong * canvas.channels
        Platform.copyMemory(null, from, pixels, to, width.toLong * canvas.channels)
      }
    } finally tensor.close()
  }

  /** A JPEG file of its own: a start, the mark that its colours are RGB, the tables, and the block without its start.
    */
  private def withTables(at: Int, size: Int): Array[Byte] =
    bytes.slice(at, at + 2) ++ (if (tiff.photometric == TiffHeader.Rgb) TiffJpeg.RgbMark else Array.emptyByteArray) ++
      tables ++ bytes.slice(at + 2, at + size)

  /** Without their start and end. */
  private lazy val tables: Array[Byte] =
    if (!tiff.directory.has(TiffTags.JpegTables)) Array.emptyByteArray
    else {
      val (at, size) = tiff.directory.bytes(TiffTags.JpegTables)
      bytes.slice(at + 2, at + size - 2)
    }
}

private[image] object TiffJpeg {

  /** Adobe's segment with the transform 0, without which decoders take three channels for YCbCr. */
  private val RgbMark: Array[Byte] =
    Array(0xff, 0xee, 0, 14).map(_.toByte) ++ "Adobe".getBytes ++ Array[Byte](0, 100, 0, 0, 0, 0, 0)
}
