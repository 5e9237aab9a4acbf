package org.sparkdl.tensor

import scala.collection.mutable.ArrayBuffer

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.{BinaryType, DataType}

/** Reads the strings or binary values of one row's cell; unknown dimensions of `spec` are those of the cell. */
final private[tensor] class StringCell(from: DataType, spec: Array[Long]) {
  private val binary = ColumnTypes.unnest(from)._1 == BinaryType
  private val value = SingleValues.shapeOf(spec, from)
  private val actual = value.clone()
  private val single = value.length != spec.length

  /** The shape and the elements, row-major, of what was read last. */
  val dims: Array[Long] = if (single) spec.clone() else actual
  val elements = new ArrayBuffer[Array[Byte]]

  /** Reads a cell; returns null, or why it cannot be fed. */
  def read(row: SpecializedGetters, ordinal: Int): String = {
    System.arraycopy(value, 0, actual, 0, value.length)
    elements.clear()
    level(row, ordinal, 0)
  }

  private def level(g: SpecializedGetters, ordinal: Int, depth: Int): String =
    if (g.isNullAt(ordinal)) "a null inside the array"
    else if (depth == value.length) {
      elements += (if (binary) g.getBinary(ordinal) else g.getUTF8String(ordinal).getBytes)
      null
    } else {
      val array = g.getArray(ordinal)
      val n = array.numElements().toLong
      if (actual(depth) < 0) actual(depth) = n
      if (actual(depth) != n) return CellWriter.wrongLength(depth, actual(depth), n)
      (0 until n.toInt).iterator.map(level(array, _, depth + 1)).find(_ != null).orNull
    }
}
