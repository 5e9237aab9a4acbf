package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.{ArrayType, DataType}

import org.sparkdl.runtime.DType

/** Reads the dimensions of one row's value, a cell, which is not null. */
private[tensor] trait CellMeasure extends Serializable {

  /** Reads the value's dimensions into `dims`, following the first element of each level; returns null or a reason.
    */
  def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String
}

/** Arrays nested `rank` deep. */
private[tensor] trait ArrayMeasure extends CellMeasure {
  protected def rank: Int

  override def measure(from: SpecializedGetters, ordinal: Int, dims: Array[Long]): String = {
    var array = from.getArray(ordinal)
    var level = 0
    while (level < rank) {
      val n = array.numElements()
      dims(level) = n.toLong
      level += 1
      if (level < rank)
        if (n == 0) return s"dimension $level is empty, so the dimensions below it are unknown"
        else if (array.isNullAt(0)) return "a null inside the array"
        else array = array.getArray(0)
    }
    null
  }
}

/** The shapes of a column's values, one at a time, where the schema leaves dimensions open. For one task. */
final class CellShape private (spec: Array[Long], values: CellMeasure) {

  /** The shape of the value that was measured last. */
  val dims: Array[Long] = spec.clone()

  /** Determines the shape of the value at `ordinal`, which is not null; returns null, or why it cannot be fed. */
  def measure(from: SpecializedGetters, ordinal: Int): String = {
    System.arraycopy(spec, 0, dims, 0, spec.length)
    val reason = values.measure(from, ordinal, dims)
    if (reason != null) reason else misfit
  }

  private def misfit: String = {
    var i = 0
    while (i < spec.length) {
      if (spec(i) >= 0 && dims(i) != spec(i)) return CellWriter.wrongLength(i, spec(i), dims(i))
      i += 1
    }
    null
  }
}

object CellShape {

  /** The shapes of a column of type `from` that feeds `spec`; None when the spec determines them. */
  def of(spec: TensorSpec, from: DataType): Option[CellShape] = {
    val cell = known(spec, from)
    if (cell.exists(_ < 0)) Some(new CellShape(cell, measure(from, spec.dtype, cell.length))) else None
  }

  /** What is known of the shape of every value; -1 = unknown. */
  private[tensor] def known(spec: TensorSpec, from: DataType): Array[Long] =
    spec.cell.getOrElse(Seq.fill(ColumnTypes.unnest(from)._2)(-1L)).toArray

  private def measure(from: DataType, to: DType, levels: Int): CellMeasure = from match {
    case _: ArrayType => new ArrayMeasure { override protected val rank: Int = levels }
    case _            => CellWriter.of(from, to, levels)
  }
}
