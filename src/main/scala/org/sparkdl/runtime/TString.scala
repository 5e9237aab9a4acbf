package org.sparkdl.runtime

import org.apache.spark.unsafe.Platform

/** TensorFlow's string element, read and written in place.
  *
  * The layout is that of `TF_TString` on little-endian machines (`tsl/platform/ctstring_internal.h`): 24 bytes whose
  * lowest two bits tell the kind: 0 = up to 22 bytes inline, 1 = on the heap, 2 = at an offset, 3 = a view of memory
  * that somebody else owns. Doing it here saves a JNI call and a copy per element.
  */
private[runtime] object TString {
  val Size = 24

  /** Makes the element at `address` a view of `length` bytes at `data`, which must outlive every use of it. */
  def writeView(address: Long, data: Long, length: Long): Unit = {
    Platform.putLong(null, address, (length << 2) | 3L)
    Platform.putLong(null, address + 8, data)
    Platform.putLong(null, address + 16, 0L)
  }

  /** The bytes of the element at `address`, copied. */
  def read(address: Long): Array[Byte] = {
    val kind = Platform.getByte(null, address) & 3
    val (data, length) = kind match {
      case 0 => (address + 1, (Platform.getByte(null, address) & 0xff) >>> 2)
      case 1 => (Platform.getLong(null, address + 16), (Platform.getLong(null, address) >>> 2).toInt)
      case 2 =>
        (address + (Platform.getInt(null, address + 4) & 0xffffffffL), Platform.getInt(null, address) >>> 2)
      case _ => (Platform.getLong(null, address + 8), (Platform.getLong(null, address) >>> 2).toInt)
    }
    val bytes = new Array[Byte](length)
    Platform.copyMemory(null, data, bytes, Platform.BYTE_ARRAY_OFFSET, length)
    bytes
  }
}
