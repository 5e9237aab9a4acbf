package org.sparkdl.image

import java.awt.image.BufferedImage
import java.io.EOFException
import javax.imageio.IIOException
import javax.imageio.spi.ImageReaderSpi

import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi
import com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream

/** TwelveMonkeys' readers, which are made here and never looked for: what else is on the class path changes nothing.
  * Thread-safe.
  */
private[image] object PluginReaders {
  private val webpReaders = new WebPImageReaderSpi
  private val tiffReaders = new TIFFImageReaderSpi

  /** Decodes a file whose claims have been checked: readers allocate whatever a file says. */
  def webp(bytes: Array[Byte]): BufferedImage = read(webpReaders, bytes)

  /** The same for a TIFF. */
  def tiff(bytes: Array[Byte]): BufferedImage = read(tiffReaders, bytes)

  private def read(readers: ImageReaderSpi, bytes: Array[Byte]): BufferedImage = {
    val reader = readers.createReaderInstance(null)
    try {
      reader.setInput(new ByteArrayImageInputStream(bytes), true, true)
      reader.read(0)
    } catch {
      case e: Exception if endsEarly(e) => throw DecodingFailed.truncated()
      // Whatever a damaged file makes a reader run into, such as an index out of bounds, is the file's fault.
      case e: Exception => throw DecodingFailed.corrupt("TwelveMonkeys", e.toString)
    } finally reader.dispose()
  }

  private def endsEarly(e: Throwable): Boolean = e match {
    case _: EOFException => true
    case e: IIOException => e.getCause != null && endsEarly(e.getCause)
    case _               => false
  }
}
