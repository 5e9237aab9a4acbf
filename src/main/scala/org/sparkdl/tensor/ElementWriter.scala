package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.{SpecializedGetters, UnsafeArrayData}
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.DType

/** Writes elements of one Catalyst type into tensor memory of one dtype. */
private[tensor] abstract class ElementWriter(val size: Int) extends Serializable {

  /** Writes the element at `ordinal` to `address`; returns null, or why it cannot. */
  def write(from: SpecializedGetters, ordinal: Int, address: Long): String

  /** Whether the elements of an UnsafeArrayData have the tensor's bytes, so that an array is one memcpy. */
  def sameBytes: Boolean = false

  /** Writes all elements of an array, which holds no nulls, to `address`. */
  final def writeAll(array: ArrayData, length: Int, address: Long): String = array match {
    case a: UnsafeArrayData if sameBytes =>
      val header = UnsafeArrayData.calculateHeaderPortionInBytes(length)
      Platform.copyMemory(a.getBaseObject, a.getBaseOffset + header, null, address, length.toLong * size)
      null
    case _ =>
      var i = 0
      var reason: String = null
      while (i < length && reason == null) {
        reason = write(array, i, address + i.toLong * size)
        i += 1
      }
      reason
  }
}

private[tensor] object ElementWriter {

  // Separate interfaces, because Scala's functions would box every element.
  private trait GetLong extends Serializable { def apply(from: SpecializedGetters, ordinal: Int): Long }
  private trait GetDouble extends Serializable { def apply(from: SpecializedGetters, ordinal: Int): Double }
  private trait PutElement extends Serializable {
    def apply(from: SpecializedGetters, ordinal: Int, address: Long): Unit
  }

  /** The writer for a pair that [[ColumnTypes.accepts]]. */
  def of(from: DataType, to: DType): ElementWriter = to match {
    case DType.Bool  => bits(1, same = true)((g, i, a) => Platform.putBoolean(null, a, g.getBoolean(i)))
    case DType.Int8  => bits(1, same = true)((g, i, a) => Platform.putByte(null, a, g.getByte(i)))
    case DType.UInt8 => unsignedByte(integral(from))
    case DType.Int16 =>
      val get = integral(from)
      bits(2, from == ShortType)((g, i, a) => Platform.putShort(null, a, get(g, i).toShort))
    case DType.Int32 =>
      val get = integral(from)
      bits(4, from == IntegerType)((g, i, a) => Platform.putInt(null, a, get(g, i).toInt))
    case DType.Int64 =>
      val get = integral(from)
      bits(8, from == LongType)((g, i, a) => Platform.putLong(null, a, get(g, i)))
    case DType.Float32 if from == FloatType =>
      bits(4, same = true)((g, i, a) => Platform.putFloat(null, a, g.getFloat(i)))
    case DType.Float32 =>
      val get = floating(from)
      bits(4, same = false)((g, i, a) => Platform.putFloat(null, a, get(g, i).toFloat))
    case DType.Float64 =>
      val get = floating(from)
      bits(8, from == DoubleType)((g, i, a) => Platform.putDouble(null, a, get(g, i)))
    case other => throw new IllegalStateException(s"no writer from ${from.simpleString} to $other")
  }

  private def bits(size: Int, same: Boolean)(put: PutElement): ElementWriter =
    new ElementWriter(size) {
      override val sameBytes: Boolean = same
      override def write(from: SpecializedGetters, ordinal: Int, address: Long): String = {
        put(from, ordinal, address); null
      }
    }

  private def unsignedByte(get: GetLong): ElementWriter = new ElementWriter(1) {
    override def write(from: SpecializedGetters, ordinal: Int, address: Long): String = {
      val v = get(from, ordinal)
      Platform.putByte(null, address, v.toByte)
      if (v < 0 || v > 255) s"value $v does not fit uint8 (0..255)" else null
    }
  }

  private def integral(from: DataType): GetLong = from match {
    case ByteType    => (g, i) => g.getByte(i).toLong
    case ShortType   => (g, i) => g.getShort(i).toLong
    case IntegerType => (g, i) => g.getInt(i).toLong
    case _           => (g, i) => g.getLong(i)
  }

  private def floating(from: DataType): GetDouble = from match {
    case DoubleType     => (g, i) => g.getDouble(i)
    case FloatType      => (g, i) => g.getFloat(i).toDouble
    case d: DecimalType => (g, i) => g.getDecimal(i, d.precision, d.scale).toDouble
    case t              => val get = integral(t); (g, i) => get(g, i).toDouble
  }
}
