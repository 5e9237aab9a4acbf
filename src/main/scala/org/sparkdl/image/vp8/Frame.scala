package org.sparkdl.image.vp8

/** A decoded picture in luma and chroma, with half as many rows and columns of chroma.
  *
  * @param blue
  *   the first plane of chroma
  * @param red
  *   the second
  */
private[image] final class Frame(val width: Int, val height: Int) {
  private[vp8] val luma = new Plane((width + 15) / 16 * 16, (height + 15) / 16 * 16)
  private[vp8] val blue = new Plane(luma.width / 2, luma.height / 2)
  private[vp8] val red = new Plane(luma.width / 2, luma.height / 2)
}

private[image] object Frame {

  /** Decodes a key frame in the bytes of `from` until `until`, whose claims of width and height have been checked. */
  def decode(bytes: Array[Byte], from: Int, until: Int): Frame = {
    val header = FrameHeader.read(bytes, from, until)
    val frame = new Frame(header.width, header.height)
    val filter = new FrameFilter(header, frame)
    new Macroblocks(header, frame, filter).decode()
    filter()
    frame
  }
}
