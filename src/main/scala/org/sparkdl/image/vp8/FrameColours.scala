package org.sparkdl.image.vp8

/** Luma and chroma become blue, green and red bytes, as in libwebp to the last bit: chroma's pixels are the middles
  * of squares of four of luma's, so the value at each of these is 9/16 of the nearest one of chroma, 3/16 of those
  * beside it and 1/16 of the one across; colours are those of ITU-R 601 with luma of 16 to 235, in numbers with 14
  * bits.
  */
private[image] object FrameColours {

  /** @param channels
    *   bytes per pixel: 3, or more, whose others are left as they are
    */
  def bgr(frame: Frame, channels: Int): Array[Byte] = {
    val pixels = new Array[Byte](frame.width * frame.height * channels)
    val (blue, red) = (new Array[Int](frame.width), new Array[Int](frame.width))
    val last = (frame.height + 1) / 2 - 1
    var y = 0
    while (y < frame.height) {
      val near = y / 2
      val far = math.max(0, math.min(last, if (y % 2 == 0) near - 1 else near + 1))
      widen(frame.blue, near, far, blue)
      widen(frame.red, near, far, red)
      convert(frame.luma, y, blue, red, pixels, channels)
      y += 1
    }
    pixels
  }

  /** A row of chroma as wide as luma, from the row that is nearest and the next one. */
  private def widen(plane: Plane, nearRow: Int, farRow: Int, out: Array[Int]): Unit = {
    val bytes = plane.bytes
    val (near, far) = (plane.at(0, nearRow), plane.at(0, farRow))
    val width = out.length
    var (a, b) = (bytes(near) & 0xff, bytes(far) & 0xff)
    out(0) = (3 * a + b + 2) >> 2
    var x = 1
    while (2 * x < width) {
      val c = bytes(near + x) & 0xff
      val d = bytes(far + x) & 0xff
      val sum = a + b + c + d + 8
      // What libwebp rounds twice is rounded twice here.
      out(2 * x - 1) = (((sum + 2 * (b + c)) >> 3) + a) >> 1
      out(2 * x) = (((sum + 2 * (a + d)) >> 3) + c) >> 1
      a = c
      b = d
      x += 1
    }
    if (width % 2 == 0) out(width - 1) = (3 * a + b + 2) >> 2
  }

  private def convert(
      luma: Plane,
      y: Int,
      blue: Array[Int],
      red: Array[Int],
      pixels: Array[Byte],
      channels: Int
  ): Unit = {
    val bytes = luma.bytes
    val row = luma.at(0, y)
    var to = y * blue.length * channels
    var x = 0
    while (x < blue.length) {
      val light = ((bytes(row + x) & 0xff) * 19077) >> 8
      val u = blue(x)
      val v = red(x)
      pixels(to) = limited(light + ((u * 33050) >> 8) - 17685)
      pixels(to + 1) = limited(light - ((u * 6419) >> 8) - ((v * 13320) >> 8) + 8708)
      pixels(to + 2) = limited(light + ((v * 26149) >> 8) - 14234)
      to += channels
      x += 1
    }
  }

  /** Without the six bits behind the point. */
  private def limited(value: Int): Byte = Plane.limited(value >> 6)
}
