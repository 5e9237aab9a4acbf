package org.sparkdl.image

import java.awt.image.BufferedImage
import java.io.EOFException
import javax.imageio.IIOException

import com.twelvemonkeys.imageio.plugins.tiff.TIFFImageReaderSpi
import com.twelvemonkeys.imageio.stream.ByteArrayImageInputStream

import org.sparkdl.image.failures.DecodingFailed

/** TwelveMonkeys' reader, which is made here and never looked for: what else is on the class path changes nothing.
  * Thread-safe.
  */
private[image] object TiffPlugin {
  private val readers = new TIFFImageReaderSpi

  /** Decodes a file whose claims have been checked: the reader allocates whatever a file says. */
  def read(bytes: Array[Byte]): BufferedImage = {
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
