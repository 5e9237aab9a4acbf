package org.sparkdl.image

import org.sparkdl.image.vp8.{Frame, FrameColours}
import org.sparkdl.image.vp8l.Picture

/** The pixels of WebP files: the still picture, or an animation's canvas with the first frame. */
private[image] object WebpPixels {

  def read(bytes: Array[Byte]): PixelSource = {
    val webp = WebpHeader.parse(new ByteCursor(bytes, "WebP"))
    val frame = if (webp.image.name == "VP8 ") lossy(webp, bytes) else lossless(webp, bytes)
    FrameBounds.onCanvas(frame, webp.frame, webp.header, new Array[Byte](webp.header.channels))
  }

  private def lossy(webp: WebpHeader, bytes: Array[Byte]): PixelSource = {
    val (width, height) = (webp.frame.width, webp.frame.height)
    val channels = if (webp.alpha != null && webp.header.channels == 4) 4 else 3
    val frame = Frame.decode(bytes, webp.image.at, webp.image.at + webp.image.size)
    val pixels = FrameColours.bgr(frame, channels)
    if (channels == 4) {
      val alpha = WebpAlpha.read(bytes, webp.alpha, width, height)
      for (i <- alpha.indices) pixels(4 * i + 3) = alpha(i)
    }
    PixelSource.ofArray(pixels, height, width, channels, blueFirst = true)
  }

  private def lossless(webp: WebpHeader, bytes: Array[Byte]): PixelSource = {
    val picture = Picture.decode(bytes, webp.image.at, webp.image.at + webp.image.size)
    val channels = if (webp.alphaInImage && webp.header.channels == 4) 4 else 3
    val pixels = new Array[Byte](picture.length * channels)
    var (i, to) = (0, 0)
    while (i < picture.length) {
      pixels(to) = picture(i).toByte
      pixels(to + 1) = (picture(i) >> 8).toByte
      pixels(to + 2) = (picture(i) >> 16).toByte
      if (channels == 4) pixels(to + 3) = (picture(i) >> 24).toByte
      i += 1
      to += channels
    }
    PixelSource.ofArray(pixels, webp.frame.height, webp.frame.width, channels, blueFirst = true)
  }
}
