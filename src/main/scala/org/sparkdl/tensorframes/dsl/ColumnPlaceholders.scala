package org.sparkdl.tensorframes.dsl

import org.apache.spark.sql.DataFrame

import org.sparkdl.tensor.TensorSpec
import org.sparkdl.tensorframes.ColumnTensors

/** Placeholders of a column's own dtype and shape, which the column feeds whatever they are called. */
private[tensorframes] object ColumnPlaceholders {

  /** For a block of the column's values. */
  def block(df: DataFrame, column: String, name: Option[String]): Operation =
    of(ColumnTensors.block(df, column), column, name)

  /** For the value of one row. */
  def row(df: DataFrame, column: String, name: Option[String]): Operation =
    of(ColumnTensors.row(df, column), column, name)

  private def of(spec: TensorSpec, column: String, name: Option[String]): Operation = {
    name.foreach(Operation.check)
    Factory.placeholder(spec.dtype, spec.shape.get, name.getOrElse(operationName(column)), Some(column))
  }

  /** The column's name with what operations cannot have in theirs replaced. */
  private def operationName(column: String): String = {
    val allowed = column.replaceAll("[^A-Za-z0-9_.-]", "_")
    if (allowed.headOption.exists(c => c.isLetterOrDigit || c == '.')) allowed else s"column$allowed"
  }
}
