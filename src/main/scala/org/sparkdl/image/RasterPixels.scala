package org.sparkdl.image

import java.awt.color.ColorSpace
import java.awt.image.{BufferedImage, DataBuffer, IndexColorModel, Raster}

import org.sparkdl.image.failures.DecodingFailed

/** Pixels of the JDK's images as bytes: 16 bit are cut to the top 8, CMYK becomes RGB, colours are not matched. */
private[image] object RasterPixels {

  /** @param channels
    *   those that the file announces: 1 grey, 3 colour, 4 with alpha. What a reader gives besides is left out.
    * @param timesAlpha
    *   whether the other channels are stored multiplied by alpha
    */
  def of(image: BufferedImage, channels: Int, timesAlpha: Boolean = false): PixelSource = {
    val (pixels, bands) = image.getColorModel match {
      case colours: IndexColorModel => (ofIndices(image.getRaster, colours, channels), if (channels == 1) 1 else 3)
      case model if model.getColorSpace.getType == ColorSpace.TYPE_CMYK => (rgbOfCmyk(samples(image.getRaster)), 3)
      case _ =>
        val all = image.getRaster.getNumBands
        val wanted = if (all < 3) math.min(all, if (channels == 4) 2 else 1) else math.min(all, channels)
        val chosen = firstBands(samples(image.getRaster), all, wanted)
        if (timesAlpha) divideByAlpha(chosen, wanted)
        (chosen, wanted)
    }
    PixelSource.ofArray(pixels, image.getHeight, image.getWidth, bands, blueFirst = false)
  }

  /** All bands of all pixels, a byte each. */
  private def samples(raster: Raster): Array[Byte] = {
    val row = raster.getWidth * raster.getNumBands
    val bytes = new Array[Byte](raster.getHeight * row)
    raster.getTransferType match {
      case DataBuffer.TYPE_BYTE =>
        val line = new Array[Byte](row)
        for (y <- 0 until raster.getHeight) {
          raster.getDataElements(raster.getMinX, raster.getMinY + y, raster.getWidth, 1, line)
          System.arraycopy(line, 0, bytes, y * row, row)
        }
      case DataBuffer.TYPE_USHORT =>
        val line = new Array[Short](row)
        for (y <- 0 until raster.getHeight) {
          raster.getDataElements(raster.getMinX, raster.getMinY + y, raster.getWidth, 1, line)
          var i = 0
          while (i < row) { bytes(y * row + i) = (line(i) >> 8).toByte; i += 1 }
        }
      case other => throw DecodingFailed.corrupt("sparkdl", s"unexpected samples of type $other")
    }
    bytes
  }

  private def firstBands(samples: Array[Byte], all: Int, wanted: Int): Array[Byte] =
    if (all == wanted) samples
    else {
      val chosen = new Array[Byte](samples.length / all * wanted)
      var (from, to) = (0, 0)
      while (to < chosen.length) {
        System.arraycopy(samples, from, chosen, to, wanted)
        from += all
        to += wanted
      }
      chosen
    }

  private def ofIndices(raster: Raster, colours: IndexColorModel, channels: Int): Array[Byte] = {
    val bands = if (channels == 1) 1 else 3
    val bytes = new Array[Byte](raster.getHeight * raster.getWidth * bands)
    val line = new Array[Int](raster.getWidth)
    var to = 0
    for (y <- 0 until raster.getHeight) {
      raster.getSamples(raster.getMinX, raster.getMinY + y, raster.getWidth, 1, 0, line)
      var x = 0
      while (x < line.length) {
        val rgb = if (line(x) < colours.getMapSize) colours.getRGB(line(x)) else 0
        bytes(to) = (rgb >> 16).toByte
        if (bands == 3) {
          bytes(to + 1) = (rgb >> 8).toByte
          bytes(to + 2) = rgb.toByte
        }
        to += bands
        x += 1
      }
    }
    bytes
  }

  /** As TensorFlow's kernel does for JPEG files. */
  private def rgbOfCmyk(samples: Array[Byte]): Array[Byte] = {
    val rgb = new Array[Byte](samples.length / 4 * 3)
    var pixel = 0
    while (pixel < samples.length / 4) {
      val white = 255 - (samples(4 * pixel + 3) & 0xff)
      var i = 0
      while (i < 3) {
        rgb(3 * pixel + i) = (white * (255 - (samples(4 * pixel + i) & 0xff)) / 255).toByte
        i += 1
      }
      pixel += 1
    }
    rgb
  }

  private def divideByAlpha(pixels: Array[Byte], channels: Int): Unit = {
    var pixel = 0
    while (pixel < pixels.length) {
      val alpha = pixels(pixel + channels - 1) & 0xff
      var i = pixel
      while (alpha != 0 && i < pixel + channels - 1) {
        pixels(i) = math.min(255, 255 * (pixels(i) & 0xff) / alpha).toByte
        i += 1
      }
      pixel += channels
    }
  }
}
