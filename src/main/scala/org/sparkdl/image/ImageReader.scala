package org.sparkdl.image

import org.apache.spark.ml.image.{ImageSchema => SparkSchema}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.types.DataType
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.errors.ModelExecutionException
import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.tensor.CellReader

/** Reads images from an output `[rows, height, width, channels]` as Spark's image structs, whose origin is empty.
  *
  * @param dtype
  *   uint8 or float32
  * @param redFirst
  *   whether the output is in RGB order: structs are in BGR order
  */
private[sparkdl] final case class ImageReader(dtype: DType, redFirst: Boolean) extends CellReader {
  override def dataType: DataType = SparkSchema.columnSchema

  override def read(tensor: TfTensor, row: Int): Any = {
    val Array(height, width, channels) = tensor.shape.tail.map(_.toInt)
    if (!ImageReader.Channels.contains(channels))
      throw new ModelExecutionException(
        s"An output of ${height}x${width}x$channels (height x width x channels) cannot become an image struct: expected " +
          s"${ImageReader.Channels.mkString(", ")} channels. Set outputMode to 'vector'."
      )
    val data = new Array[Byte](Math.multiplyExact(Math.multiplyExact(height, width), channels * dtype.size))
    Platform.copyMemory(
      null,
      tensor.address + row.toLong * data.length,
      data,
      Platform.BYTE_ARRAY_OFFSET,
      data.length
    )
    if (redFirst && channels > 1) swapRedAndBlue(data, channels)
    val mode = if (dtype == DType.UInt8) ImageModes.uint8(channels) else ImageModes.float32(channels)
    InternalRow(UTF8String.EMPTY_UTF8, height, width, channels, mode, data)
  }

  private def swapRedAndBlue(data: Array[Byte], channels: Int): Unit = {
    val blue = 2 * dtype.size
    var pixel = 0
    while (pixel < data.length) {
      var i = pixel
      while (i < pixel + dtype.size) {
        val red = data(i)
        data(i) = data(i + blue)
        data(i + blue) = red
        i += 1
      }
      pixel += channels * dtype.size
    }
  }
}

private[sparkdl] object ImageReader {

  /** The channels that an image struct may have. */
  val Channels: Seq[Int] = Seq(1, 3, 4)
}
