package org.sparkdl.image

import org.apache.spark.unsafe.Platform

/** Colours of palette BMPs, which TensorFlow's kernel decodes to bare indices. */
private[image] object Palette {

  /** The pixels themselves, or their colours when they are indices into a table. */
  def apply(pixels: PixelSource, bytes: Array[Byte]): PixelSource = {
    val table = BmpHeader.parse(new ByteCursor(bytes, "BMP")).palette
    if (table.isEmpty) pixels
    else PixelSource.ofArray(lookUp(pixels, table), pixels.height, pixels.width, 3, blueFirst = false)
  }

  private def lookUp(pixels: PixelSource, table: Array[Byte]): Array[Byte] = {
    val colours = new Array[Byte](pixels.height * pixels.width * 3)
    var i = 0
    while (i < pixels.height * pixels.width) {
      System.arraycopy(table, 3 * (Platform.getByte(pixels.base, pixels.offset + i) & 0xff), colours, 3 * i, 3)
      i += 1
    }
    colours
  }
}
