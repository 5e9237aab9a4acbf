package org.sparkdl.image

import java.nio.charset.StandardCharsets.ISO_8859_1
import java.nio.{ByteBuffer, ByteOrder}

/** The pixels of WebP files: the still picture, or an animation's canvas with the first frame. */
private[image] object WebpPixels {

  def read(bytes: Array[Byte]): PixelSource = {
    val webp = WebpHeader.parse(new ByteCursor(bytes, "WebP"))
    val frame = RasterPixels.of(PluginReaders.webp(plain(webp, bytes)), webp.header.channels)
    FrameBounds.onCanvas(frame, webp.frame, webp.header, new Array[Byte](webp.header.channels))
  }

  /** A file of the frame alone: profiles, metadata and other frames are no business of the decoder. */
  private def plain(webp: WebpHeader, bytes: Array[Byte]): Array[Byte] = {
    val chunks = Seq(webp.alpha, webp.image).filter(_ != null)
    val extended = if (webp.alpha == null) 0 else 18
    val size = 12 + extended + chunks.map(c => c.end - c.start).sum
    val file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN)
    name(file, "RIFF").putInt(size - 8)
    name(file, "WEBP")
    if (extended > 0) {
      name(file, "VP8X").putInt(10).putInt(0x10) // with alpha
      Seq(webp.frame.width - 1, webp.frame.height - 1).foreach(n => file.putShort(n.toShort).put((n >> 16).toByte))
    }
    for (chunk <- chunks) {
      val end = math.min(chunk.end, bytes.length) // the padding of the last chunk may be missing
      file.put(bytes, chunk.start, end - chunk.start).position(file.position() + chunk.end - end)
    }
    file.array
  }

  private def name(file: ByteBuffer, text: String): ByteBuffer = file.put(text.getBytes(ISO_8859_1))
}
