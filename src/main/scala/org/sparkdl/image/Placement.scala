package org.sparkdl.image

import org.apache.spark.unsafe.Platform

/** Where the pixels of an upright image go in memory when they come in the order in which the file stores them.
  *
  * EXIF orientations only change where a pixel goes, so they cost nothing: pixel (y, x) of the stored image goes to
  * byte `origin + y * rowStride + x * columnStride`.
  *
  * @param base
  *   a byte array, or null for native memory (as in Spark's `Platform`)
  */
private[image] final class Placement(
    val base: AnyRef,
    val origin: Long,
    val rowStride: Long,
    val columnStride: Long
)

private[image] object Placement {

  /** Places an upright image of `height` x `width` pixels at `offset`, coming from a file with that orientation. */
  def apply(base: AnyRef, offset: Long, height: Int, width: Int, channels: Int, orientation: Int): Placement = {
    val down = width.toLong * channels
    val right = channels.toLong
    val bottom = offset + (height - 1) * down
    val end = (width - 1) * right
    orientation match {
      case 2 => new Placement(base, offset + end, down, -right) // mirrored
      case 3 => new Placement(base, bottom + end, -down, -right) // upside down
      case 4 => new Placement(base, bottom, -down, right) // upside down and mirrored
      case 5 => new Placement(base, offset, right, down) // rows are columns
      case 6 => new Placement(base, offset + end, -right, down) // turn clockwise
      case 7 => new Placement(base, bottom + end, -right, -down) // rows are columns, from the other corner
      case 8 => new Placement(base, bottom, right, -down) // turn anticlockwise
      case _ => new Placement(base, offset, down, right)
    }
  }

  /** The same in a byte array. */
  def inArray(data: Array[Byte], height: Int, width: Int, channels: Int, orientation: Int): Placement =
    apply(data, Platform.BYTE_ARRAY_OFFSET.toLong, height, width, channels, orientation)
}
