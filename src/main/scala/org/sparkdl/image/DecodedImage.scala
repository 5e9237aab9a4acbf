package org.sparkdl.image

/** An image in the layout of Spark's image struct.
  *
  * @param nChannels
  *   1 (grey), 3 (BGR) or 4 (BGRA)
  * @param data
  *   uint8 pixels `[height, width, nChannels]`, row-major
  */
final case class DecodedImage(height: Int, width: Int, nChannels: Int, data: Array[Byte]) {

  /** The OpenCV type of the pixels: CV_8UC1, CV_8UC3 or CV_8UC4. */
  def mode: Int = ImageModes.uint8(nChannels)
}
