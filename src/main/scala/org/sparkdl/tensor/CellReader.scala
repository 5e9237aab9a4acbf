package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData
import org.apache.spark.sql.catalyst.util.{ArrayData, GenericArrayData}
import org.apache.spark.sql.types.{DataType, Decimal}
import org.apache.spark.ml.linalg.SQLDataTypes.VectorType
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.runtime.{DType, TfTensor}

/** Reads one row's cell from an output tensor `[rows, ...]` as a Catalyst value.
  *
  * The value owns its memory; the tensor may be closed afterwards.
  */
abstract class CellReader extends Serializable {

  /** The column type of the values. */
  def dataType: DataType

  /** The value of `row`; `tensor.shape(0)` is the number of rows. */
  def read(tensor: TfTensor, row: Int): Any
}

object CellReader {

  /** Cells of `rank` dimensions as scalars or nested arrays, by the table of [[ColumnTypes]]. */
  def nested(dtype: DType, rank: Int): CellReader = new NestedReader(dtype, rank)

  /** Cells of any rank as one array, row-major. */
  def flat(dtype: DType): CellReader = new FlatReader(dtype)

  /** Cells of any rank, flattened row-major, as MLlib dense vectors. */
  def vector(dtype: DType): CellReader = new VectorReader(dtype)
}

final private case class NestedReader(dtype: DType, rank: Int) extends CellReader {
  override val dataType: DataType = ColumnTypes.output(dtype, rank)
  private val elements = ElementReader.of(dtype)

  override def read(tensor: TfTensor, row: Int): Any = {
    val start = row.toLong * tensor.elementsPerRow
    if (rank == 0) elements.scalar(tensor, start) else level(tensor, 1, start)
  }

  private def level(tensor: TfTensor, dimension: Int, start: Long): ArrayData = {
    val n = tensor.shape(dimension).toInt
    if (dimension == rank) elements.array(tensor, start, n)
    else {
      var below = 1L
      var i = dimension + 1
      while (i <= rank) { below *= tensor.shape(i); i += 1 }
      new GenericArrayData(Array.tabulate[Any](n)(i => level(tensor, dimension + 1, start + i * below)))
    }
  }
}

final private case class FlatReader(dtype: DType) extends CellReader {
  override val dataType: DataType = ColumnTypes.output(dtype, 1)
  private val elements = ElementReader.of(dtype)

  override def read(tensor: TfTensor, row: Int): Any = {
    val n = tensor.elementsPerRow
    elements.array(tensor, row.toLong * n, n)
  }
}

final private case class VectorReader(dtype: DType) extends CellReader {
  override val dataType: DataType = VectorType
  private val elements = ElementReader.of(dtype)

  override def read(tensor: TfTensor, row: Int): Any = {
    val n = tensor.elementsPerRow
    val values = new Array[Double](n)
    elements.doubles(tensor, row.toLong * n, values)
    // the struct of org.apache.spark.ml.linalg.VectorUDT for a dense vector
    InternalRow(1.toByte, null, null, UnsafeArrayData.fromPrimitiveArray(values))
  }
}

/** Reads elements of one dtype. */
private abstract class ElementReader extends Serializable {
  def scalar(tensor: TfTensor, index: Long): Any
  def array(tensor: TfTensor, start: Long, n: Int): ArrayData =
    new GenericArrayData(Array.tabulate[Any](n)(i => scalar(tensor, start + i)))
  def doubles(tensor: TfTensor, start: Long, into: Array[Double]): Unit
}

private object ElementReader {

  def of(dtype: DType): ElementReader = dtype match {
    case DType.Float32  => sameBytes(dtype, Platform.getFloat(null, _), Platform.getFloat(null, _).toDouble)
    case DType.Float64  => sameBytes(dtype, Platform.getDouble(null, _), Platform.getDouble(null, _))
    case DType.Int32    => sameBytes(dtype, Platform.getInt(null, _), Platform.getInt(null, _).toDouble)
    case DType.Int64    => sameBytes(dtype, Platform.getLong(null, _), Platform.getLong(null, _).toDouble)
    case DType.Int16    => sameBytes(dtype, Platform.getShort(null, _), Platform.getShort(null, _).toDouble)
    case DType.Int8     => sameBytes(dtype, Platform.getByte(null, _), Platform.getByte(null, _).toDouble)
    case DType.Bool     => sameBytes(dtype, Platform.getBoolean(null, _), Platform.getByte(null, _).toDouble)
    case DType.UInt8    => widened(1, byte(_), byte(_).toDouble)
    case DType.UInt16   => widened(2, short(_), short(_).toDouble)
    case DType.UInt32   => widened(4, uint(_), uint(_).toDouble)
    case DType.UInt64   => widened(8, ulong(_), ulong(_).toDouble)
    case DType.BFloat16 => widened(2, bfloat(_), bfloat(_).toDouble)
    case DType.Float16  => widened(2, half(_), half(_).toDouble)
    case DType.Str      => StringReader
  }

  private def byte(a: Long): Int = Platform.getByte(null, a) & 0xff
  private def short(a: Long): Int = Platform.getShort(null, a) & 0xffff
  private def uint(a: Long): Long = Platform.getInt(null, a) & 0xffffffffL
  private def ulong(a: Long): Decimal =
    Decimal(new java.math.BigDecimal(java.lang.Long.toUnsignedString(Platform.getLong(null, a))), 20, 0)
  private def bfloat(a: Long): Float = java.lang.Float.intBitsToFloat(Platform.getShort(null, a) << 16)
  private def half(a: Long): Float = HalfFloat.toFloat(Platform.getShort(null, a))

  private def widened(size: Int, get: Long => Any, double: Long => Double): ElementReader = new ElementReader {
    override def scalar(t: TfTensor, index: Long): Any = get(t.address + index * size)
    override def doubles(t: TfTensor, start: Long, into: Array[Double]): Unit = {
      var i = 0
      while (i < into.length) { into(i) = double(t.address + (start + i) * size); i += 1 }
    }
  }

  /** For types that have the same bytes in Spark's arrays: an array is a header and one memcpy. */
  private def sameBytes(dtype: DType, get: Long => Any, double: Long => Double): ElementReader = new ElementReader {
    private val plain = widened(dtype.size, get, double)
    override def scalar(t: TfTensor, index: Long): Any = plain.scalar(t, index)
    override def doubles(t: TfTensor, start: Long, into: Array[Double]): Unit = plain.doubles(t, start, into)
    override def array(t: TfTensor, start: Long, n: Int): ArrayData = {
      val header = UnsafeArrayData.calculateHeaderPortionInBytes(n)
      val bytes = new Array[Byte](header + (n * dtype.size + 7) / 8 * 8)
      Platform.putLong(bytes, Platform.BYTE_ARRAY_OFFSET, n.toLong)
      val from = t.address + start * dtype.size
      Platform.copyMemory(null, from, bytes, Platform.BYTE_ARRAY_OFFSET + header, n.toLong * dtype.size)
      val array = new UnsafeArrayData
      array.pointTo(bytes, Platform.BYTE_ARRAY_OFFSET, bytes.length)
      array
    }
  }

  private object StringReader extends ElementReader {
    override def scalar(t: TfTensor, index: Long): Any = UTF8String.fromBytes(t.stringAt(index))
    override def doubles(t: TfTensor, start: Long, into: Array[Double]): Unit =
      throw new IllegalStateException("strings are refused as vectors when the plan is made")
  }
}

/** IEEE 754 binary16, which Java 17 has no conversion for. */
private object HalfFloat {
  def toFloat(bits: Short): Float = {
    val sign = (bits & 0x8000) << 16
    val exponent = (bits >> 10) & 0x1f
    val fraction = bits & 0x3ff
    if (exponent == 0) {
      val v = fraction * 5.9604645e-8f // 2^-24: subnormal
      if (sign != 0) -v else v
    } else if (exponent == 0x1f) java.lang.Float.intBitsToFloat(sign | 0x7f800000 | (fraction << 13))
    else java.lang.Float.intBitsToFloat(sign | ((exponent + 112) << 23) | (fraction << 13))
  }
}
