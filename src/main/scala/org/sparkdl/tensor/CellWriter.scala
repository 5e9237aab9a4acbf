package org.sparkdl.tensor

import org.apache.spark.ml.linalg.SQLDataTypes.{MatrixType, VectorType}
import org.apache.spark.sql.catalyst.expressions.{SpecializedGetters, UnsafeArrayData}
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.Platform
import org.apache.spark.unsafe.bitset.BitSetMethods

import org.sparkdl.runtime.DType

/** Writes one row's value, a cell, into its slot of a batch tensor. The value itself is not null. */
abstract class CellWriter extends CellMeasure {

  /** Writes a value that must have the dimensions `dims`; returns null, or why it cannot. */
  def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String
}

object CellWriter {

  /** The writer from a column type to a dtype that accepts it, with cells of `rank` dimensions. */
  def of(from: DataType, to: DType, rank: Int): CellWriter =
    if (rank == 0 && ColumnTypes.unnest(from)._2 == 1) new OnlyElementWriter(ofRank(from, to, 1))
    else ofRank(from, to, rank)

  private def ofRank(from: DataType, to: DType, rank: Int): CellWriter = from match {
    case VectorType                      => new VectorWriter(to)
    case MatrixType                      => new MatrixWriter(to)
    case BinaryType if to == DType.UInt8 => new RawBytesWriter
    case _: ArrayType                    => new ArrayWriter(ElementWriter.of(ColumnTypes.unnest(from)._1, to), rank)
    case scalar                          => new ScalarWriter(ElementWriter.of(scalar, to))
  }

  private[tensor] def wrongLength(level: Int, expected: Long, received: Long): String =
    s"expected $expected elements in dimension ${level + 1}, got $received"
}

private final class ScalarWriter(element: ElementWriter) extends CellWriter {
  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = null
  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String =
    element.write(from, ordinal, address)
}

private final class ArrayWriter(element: ElementWriter, override protected val rank: Int)
    extends CellWriter
    with ArrayMeasure {

  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String =
    writeLevel(from.getArray(ordinal), 0, dims, address, bytesBelow(0, dims))

  /** Bytes of one element of level `level`. */
  private def bytesBelow(level: Int, dims: Array[Long]): Long = {
    var bytes = element.size.toLong
    var i = level + 1
    while (i < rank) { bytes *= dims(i); i += 1 }
    bytes
  }

  private def writeLevel(array: ArrayData, level: Int, dims: Array[Long], address: Long, stride: Long): String = {
    val n = array.numElements()
    if (n != dims(level)) return CellWriter.wrongLength(level, dims(level), n.toLong)
    if (hasNull(array, n)) return "a null inside the array"
    if (level == rank - 1) return element.writeAll(array, n, address)
    val below = bytesBelow(level + 1, dims)
    var i = 0
    while (i < n) {
      val reason = writeLevel(array.getArray(i), level + 1, dims, address + i * stride, below)
      if (reason != null) return reason
      i += 1
    }
    null
  }

  private def hasNull(array: ArrayData, n: Int): Boolean = array match {
    case a: UnsafeArrayData => // a bit per element, after the number of elements
      BitSetMethods.anySet(a.getBaseObject, a.getBaseOffset + java.lang.Long.BYTES, (n + 63L) / 64)
    case _ =>
      var i = 0
      while (i < n) { if (array.isNullAt(i)) return true; i += 1 }
      false
  }
}

/** Bytes that are the tensor's elements already: the only unknown dimension follows from their number. */
private final class RawBytesWriter extends CellWriter {

  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = {
    val n = from.getBinary(ordinal).length.toLong
    val unknown = dims.indexWhere(_ < 0)
    if (unknown >= 0) {
      val known = dims.iterator.filter(_ >= 0).product
      if (known == 0 || n % known != 0) return s"$n bytes cannot be shaped into rows of $known"
      dims(unknown) = n / known
    }
    null
  }

  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String = {
    val bytes = from.getBinary(ordinal)
    val expected = dims.product
    if (bytes.length != expected) return s"expected $expected bytes, got ${bytes.length}"
    Platform.copyMemory(bytes, Platform.BYTE_ARRAY_OFFSET, null, address, expected)
    null
  }
}
