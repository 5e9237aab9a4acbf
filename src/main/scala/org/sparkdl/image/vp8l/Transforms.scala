package org.sparkdl.image.vp8l

/** What was done to a picture before it was stored, undone (section 3.5). */
private[vp8l] trait Transform {

  /** Changes these pixels, or returns others of another width. */
  def undo(pixels: Array[Int]): Array[Int]
}

/** Green was taken from red and blue. */
private[vp8l] object AddGreen extends Transform {
  def undo(pixels: Array[Int]): Array[Int] = {
    var i = 0
    while (i < pixels.length) {
      val green = pixels(i) >>> 8 & 0xff
      pixels(i) = pixels(i) & 0xff00ff00 | (pixels(i) & 0xff00ff) + (green << 16 | green) & 0xff00ff
      i += 1
    }
    pixels
  }
}

/** Parts of green and red were taken from red and blue, by block. */
private[vp8l] final class AddColours(blocks: Array[Int], bits: Int, width: Int) extends Transform {
  private val across = PixelReader.blocks(width, bits)

  def undo(pixels: Array[Int]): Array[Int] = {
    var i = 0
    while (i < pixels.length) {
      val parts = blocks((i / width >> bits) * across + (i % width >> bits))
      val green = pixels(i) >> 8
      val red = (pixels(i) >> 16) + part(parts, green) & 0xff
      val blue = pixels(i) + part(parts >> 8, green) + part(parts >> 16, red) & 0xff
      pixels(i) = pixels(i) & 0xff00ff00 | red << 16 | blue
      i += 1
    }
    pixels
  }

  /** Both are signed bytes, the lowest of these numbers. */
  private def part(factor: Int, colour: Int): Int = (factor.toByte * colour.toByte) >> 5
}

/** Colours were replaced by their places in a table, of which small ones share a pixel. */
private[vp8l] final class LookUp(colours: Array[Int], width: Int, packedWidth: Int, packedBits: Int)
    extends Transform {
  def undo(pixels: Array[Int]): Array[Int] = {
    val height = pixels.length / packedWidth
    val bits = 8 >> packedBits
    Array.tabulate(width * height) { i =>
      val (x, y) = (i % width, i / width)
      val packed = pixels(y * packedWidth + (x >> packedBits)) >> 8 & 0xff
      val place = packed >> bits * (x & (1 << packedBits) - 1) & (1 << bits) - 1
      if (place < colours.length) colours(place) else 0
    }
  }
}
