package org.sparkdl.tensorframes.dsl

import org.sparkdl.tensor.TensorSpec

/** Placeholders of a column's dtype and shape, which the column feeds whatever their names. */
private[tensorframes] object ColumnPlaceholders {

  /** A placeholder of the column's dtype and, for a block of its values or for one of them, shape. */
  def of(spec: TensorSpec, column: String, name: Option[String]): Operation = {
    name.foreach(Operation.check)
    Factory.placeholder(spec.dtype, spec.shape.get, name.getOrElse(operationName(column)), Some(column))
  }

  /** The column's name, with characters replaced that are not allowed in names of operations. */
  private def operationName(column: String): String = {
    val allowed = column.replaceAll("[^A-Za-z0-9_.-]", "_")
    if (allowed.headOption.exists(c => c.isLetterOrDigit || c == '.')) allowed else s"column$allowed"
  }
}
