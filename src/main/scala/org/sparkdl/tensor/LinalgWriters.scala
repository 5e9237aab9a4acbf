package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.catalyst.util.ArrayData
import org.apache.spark.sql.types.DoubleType
import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.DType

/** MLlib's vectors and matrices, read from the structs that their UDTs store (`org.apache.spark.ml.linalg.VectorUDT`
  * and `MatrixUDT`: type 0 = sparse, 1 = dense).
  */
private final class VectorWriter(to: DType) extends CellWriter {
  private val element = ElementWriter.of(DoubleType, to)

  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = {
    val vector = from.getStruct(ordinal, 4)
    dims(0) = if (vector.getByte(0) == 0) vector.getInt(1).toLong else vector.getArray(3).numElements().toLong
    null
  }

  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String = {
    val vector = from.getStruct(ordinal, 4)
    val values = vector.getArray(3)
    val sparse = vector.getByte(0) == 0
    val n = if (sparse) vector.getInt(1) else values.numElements()
    if (n != dims(0)) CellWriter.wrongLength(0, dims(0), n.toLong)
    else if (!sparse) element.writeAll(values, n, address)
    else {
      Platform.setMemory(address, 0.toByte, n.toLong * element.size)
      scatter(vector.getArray(2), values, address)
    }
  }

  private def scatter(indices: ArrayData, values: ArrayData, address: Long): String = {
    var i = 0
    while (i < indices.numElements()) {
      element.write(values, i, address + indices.getInt(i).toLong * element.size)
      i += 1
    }
    null
  }
}

private final class MatrixWriter(to: DType) extends CellWriter {
  private val element = ElementWriter.of(DoubleType, to)

  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = {
    val matrix = from.getStruct(ordinal, 7)
    dims(0) = matrix.getInt(1).toLong
    dims(1) = matrix.getInt(2).toLong
    null
  }

  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String = {
    val matrix = from.getStruct(ordinal, 7)
    val (rows, columns) = (matrix.getInt(1), matrix.getInt(2))
    if (rows != dims(0)) return CellWriter.wrongLength(0, dims(0), rows.toLong)
    if (columns != dims(1)) return CellWriter.wrongLength(1, dims(1), columns.toLong)
    val transposed = matrix.getBoolean(6)
    def put(row: Int, column: Int, values: ArrayData, i: Int): Unit = {
      element.write(values, i, address + (row.toLong * columns + column) * element.size)
      ()
    }
    if (matrix.getByte(0) == 1) dense(rows, columns, transposed, matrix.getArray(5), put)
    else {
      Platform.setMemory(address, 0.toByte, rows.toLong * columns * element.size)
      sparse(
        if (transposed) rows else columns,
        transposed,
        matrix.getArray(3),
        matrix.getArray(4),
        matrix.getArray(5),
        put
      )
    }
    null
  }

  private type Put = (Int, Int, ArrayData, Int) => Unit

  /** Values are column-major, or row-major when transposed. */
  private def dense(rows: Int, columns: Int, transposed: Boolean, values: ArrayData, put: Put): Unit =
    for (r <- 0 until rows; c <- 0 until columns)
      put(r, c, values, if (transposed) r * columns + c else c * rows + r)

  /** Compressed sparse columns, or rows when transposed. */
  private def sparse(
      major: Int,
      transposed: Boolean,
      starts: ArrayData,
      indices: ArrayData,
      values: ArrayData,
      put: Put
  ): Unit =
    for (m <- 0 until major; i <- starts.getInt(m) until starts.getInt(m + 1)) {
      val minor = indices.getInt(i)
      if (transposed) put(m, minor, values, i) else put(minor, m, values, i)
    }
}
