package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.types.StructField

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.tensor.{ColumnTypes, ShapeMetadata, TensorSpec}

/** A column as a tensor: the dtype of its type, and the shape as far as its type and its metadata tell. */
private[sparkdl] object ColumnTensors {

  /** The tensor of all rows, the number of rows first; None for types that are not tensors. */
  def of(field: StructField): Option[TensorSpec] = {
    val (element, rank) = ColumnTypes.unnest(field.dataType)
    ColumnTypes.naturalDType(element).map { dtype =>
      val known = ShapeMetadata.read(field.metadata).filter(_.size == rank + 1)
      TensorSpec(field.name, field.name, dtype, Some(known.getOrElse(Seq.fill(rank + 1)(-1L))))
    }
  }

  /** The cell's shape, -1 = unknown, for any column whose elements may be fed. */
  def cell(field: StructField): Seq[Long] = of(field).flatMap(_.cell).getOrElse(Nil)

  /** The tensor of a block of the column: any number of rows, then the cell. */
  def block(df: DataFrame, column: String): TensorSpec = {
    val spec = required(df, column)
    spec.copy(shape = Some(-1L +: spec.cell.get))
  }

  /** The tensor of one row of the column. */
  def row(df: DataFrame, column: String): TensorSpec = {
    val spec = required(df, column)
    spec.copy(shape = spec.cell)
  }

  private def required(df: DataFrame, column: String): TensorSpec = {
    val field = FrameSchema(df, "A placeholder for a column").column(column)
    of(field).getOrElse(
      throw new SchemaMismatchException(
        s"Column '$column' is ${field.dataType.simpleString}, which is not a tensor: expected numbers, booleans, strings, " +
          "binary, arrays of these, vectors or matrices. Cast or select a field of it first."
      )
    )
  }
}
