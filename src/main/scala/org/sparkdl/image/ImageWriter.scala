package org.sparkdl.image

/** Brings decoded pixels to the size, channel order and orientation of a target. */
private[image] object ImageWriter {

  /** Writes `pixels`, stored with that EXIF orientation, to `target.bytes` bytes of native memory at `address`. */
  def write(resampler: Resampler, pixels: PixelSource, target: ImageTarget, orientation: Int, address: Long): Unit = {
    val (height, width) =
      if (orientation >= 5) (target.width, target.height) else (target.height, target.width)
    val place = Placement(null, address, target.height, target.width, target.channels, orientation)
    val blueFirst = target.channelOrder == "BGR"
    if (pixels.height == height && pixels.width == width) PixelCopy.copy(pixels, place, target.channels, blueFirst)
    else {
      val rows = resampler.taps(target.hint, pixels.height, height)
      val columns = resampler.taps(target.hint, pixels.width, width)
      resampler.resize(pixels, rows, columns, place, target.channels == 1, blueFirst)
    }
  }
}
