package org.sparkdl.tensor

import org.apache.spark.sql.types.{BinaryType, DataType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.DType

/** Checks a column against an input on the driver, as far as the schema tells. */
object Compatibility {

  /** Why `from` cannot feed `spec`, or None when it can (lengths of arrays are seen only per row).
    *
    * @param single
    *   whether one value per row may have a dimension more or less than the input ([[SingleValues]]), as in models;
    *   the shapes of a program are the user's own
    */
  def problem(spec: TensorSpec, from: DataType, single: Boolean = false): Option[String] = {
    val (element, rank) = ColumnTypes.unnest(from)
    val raw = from == BinaryType && spec.dtype == DType.UInt8
    if (spec.shape.exists(_.isEmpty))
      Some(
        "the input is a scalar without a batch dimension; rows cannot be fed to it: give it a leading dimension, " +
          "or, in a model, a value (constants)"
      )
    else if (raw) rawProblem(spec)
    else if (!ColumnTypes.accepts(element, spec.dtype))
      Some(s"columns that can be fed to ${spec.dtype}: ${ColumnTypes.acceptedBy(spec.dtype)} (or arrays of them)")
    else
      spec.cell.filter(c => c.length != rank && !(single && SingleValues.fit(c, rank))).map { cell =>
        s"a row of the input has ${cell.length} dimensions, a value of the column has $rank: " +
          (if (cell.length > rank) "use a (nested) array column" else "use a less nested column")
      }
  }

  private def rawProblem(spec: TensorSpec): Option[String] = spec.cell match {
    case Some(cell) if cell.count(_ < 0) <= 1 => None
    case _ => Some("raw bytes need an input with at most one unknown dimension besides the rows")
  }

  /** Throws when the column cannot feed the input.
    *
    * @param model
    *   the model's name, for the message
    * @param single
    *   as for `problem`
    */
  def check(model: String, spec: TensorSpec, column: String, from: DataType, single: Boolean = false): Unit =
    problem(spec, from, single).foreach { why =>
      throw new SchemaMismatchException(
        s"Cannot feed column '$column' to input '${spec.name}' of model '$model': expected ${spec.typeString}, " +
          s"got ${from.simpleString}; $why."
      )
    }
}
