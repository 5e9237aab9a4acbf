package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType

/** One value per row, which models and tables write in two ways: a column of scalars feeds an input of shape [rows,
  * 1], and a column of arrays (or vectors) of one element feeds an input of shape [rows]. Keras does the same with
  * the arrays that it is given.
  */
private[tensor] object SingleValues {

  /** The shape of a value that is one element in one dimension. */
  val OneElement: Seq[Long] = Seq(1L)

  /** Whether values with `levels` dimensions feed cells of another rank, because both are one value. */
  def fit(cell: Seq[Long], levels: Int): Boolean =
    levels == 0 && cell == OneElement || levels == 1 && cell.isEmpty

  /** The shape of the column's values where the input's cells are `cell`. */
  def shapeOf(cell: Array[Long], from: DataType): Array[Long] = {
    val levels = ColumnTypes.unnest(from)._2
    if (!fit(cell.toSeq, levels)) cell else if (levels == 0) Array.empty[Long] else OneElement.toArray
  }
}

/** Writes arrays or vectors of one element into cells without dimensions. */
private final class OnlyElementWriter(elements: CellWriter) extends CellWriter {
  private val one = SingleValues.OneElement.toArray

  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = null

  override def write(from: SpecializedGetters, ordinal: Int, dims: Array[Long], address: Long): String =
    elements.write(from, ordinal, one, address)
}
