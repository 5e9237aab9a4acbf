package org.sparkdl.image

/** Where the first frame of an animation is on its canvas. */
private[image] final case class FrameBounds(left: Int, top: Int, width: Int, height: Int) {
  def right: Int = left + width
  def bottom: Int = top + height

  /** Whether it is all that there is of a canvas. */
  def fills(canvas: ImageHeader): Boolean =
    left == 0 && top == 0 && width == canvas.width && height == canvas.height
}

private[image] object FrameBounds {

  /** The canvas with the frame on it.
    *
    * @param around
    *   a pixel of the canvas where the frame is not
    */
  def onCanvas(frame: PixelSource, bounds: FrameBounds, canvas: ImageHeader, around: Array[Byte]): PixelSource =
    if (bounds.fills(canvas) && frame.channels == canvas.channels) frame
    else {
      val channels = canvas.channels
      val pixels = new Array[Byte](canvas.height * canvas.width * channels)
      if (around.exists(_ != 0)) pixels.indices.foreach(i => pixels(i) = around(i % channels))
      val whole = PixelSource.ofArray(pixels, canvas.height, canvas.width, channels, frame.blueFirst)
      val origin = whole.offset + (bounds.top.toLong * canvas.width + bounds.left) * channels
      val place = new Placement(pixels, origin, whole.rowBytes, channels)
      PixelCopy.copy(frame, place, channels, frame.blueFirst)
      whole
    }
}
