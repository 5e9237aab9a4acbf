package org.sparkdl.image

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.files.FileSource
import org.sparkdl.runtime.NativeRuntime

/** The images of a column, one at a time. For one task.
  *
  * A method that returns a reason leaves the object ready for the next image.
  */
private[image] abstract class ImageColumn {

  /** Moves to the image at `ordinal`, which is not null; returns null, or the reason why there is no image. */
  def open(from: SpecializedGetters, ordinal: Int): String

  /** Determines the image's [[height]] and [[width]]; returns null or a reason. */
  def measure(): String

  /** Of the upright image, once it is measured. */
  var height = 0
  var width = 0

  /** Writes the image in `target`'s size and channels, as uint8 pixels or, if `numbers` is not null, as those;
    * returns null or a reason.
    */
  def write(target: ImageTarget, numbers: PixelNumbers, address: Long): String =
    if (numbers == null) writeBytes(target, address)
    else {
      val reason = writeBytes(target, numbers.bytesIn(address, target.bytes))
      if (reason == null) numbers.widen(address, target.bytes)
      reason
    }

  protected def writeBytes(target: ImageTarget, address: Long): String
}

/** Encoded bytes. */
private[image] class EncodedImages(runtime: NativeRuntime, maxPixels: Long) extends ImageColumn {
  protected var bytes: Array[Byte] = _

  override def open(from: SpecializedGetters, ordinal: Int): String = { bytes = from.getBinary(ordinal); null }

  override def measure(): String = ImageDecoder.sizeOf(bytes, maxPixels) match {
    case Right((h, w)) => height = h; width = w; null
    case Left(reason)  => reason
  }

  override protected def writeBytes(target: ImageTarget, address: Long): String =
    ImageDecoder.decodeInto(runtime, bytes, target, maxPixels, address)
}

/** Paths or URIs of files of encoded images. */
private[image] final class ImageFiles(runtime: NativeRuntime, files: FileSource, maxPixels: Long)
    extends EncodedImages(runtime, maxPixels) {

  // An image of another size than its batch is opened again for the next batch.
  private var last: UTF8String = _

  override def open(from: SpecializedGetters, ordinal: Int): String = {
    val path = from.getUTF8String(ordinal)
    if (path == last) null
    else {
      last = null
      files.read(path.toString) match {
        case Right(content) => bytes = content; last = path.clone(); null
        case Left(reason)   => reason
      }
    }
  }
}

/** Spark's image structs.
  *
  * @param floats
  *   whether the model takes float pixels
  */
private[image] final class StructImages(floats: Boolean) extends ImageColumn {
  private var image: InternalRow = _ // origin, height, width, nChannels, mode, data
  private var data: Array[Byte] = _

  private def nChannels = image.getInt(3)
  private def mode = image.getInt(4)

  override def open(from: SpecializedGetters, ordinal: Int): String = {
    image = from.getStruct(ordinal, 6)
    if ((1 to 5).exists(image.isNullAt)) "the image struct has null fields"
    else {
      height = image.getInt(1)
      width = image.getInt(2)
      data = image.getBinary(5)
      ImageStructs.problem(height, width, nChannels, mode, data, floats)
    }
  }

  override def measure(): String = null

  override def write(target: ImageTarget, numbers: PixelNumbers, address: Long): String =
    if (!ImageModes.isFloat(mode)) super.write(target, numbers, address)
    else if (height != target.height || width != target.width)
      s"the image has float pixels, which are not resized: expected ${target.height}x${target.width} (height x width), " +
        s"got ${height}x$width"
    else {
      numbers.writeFloats(data, height * width, nChannels, target.channelOrder == "BGR", address)
      null
    }

  override protected def writeBytes(target: ImageTarget, address: Long): String =
    ImageStructs.structInto(height, width, nChannels, mode, data, target, address)
}
