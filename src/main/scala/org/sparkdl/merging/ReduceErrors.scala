package org.sparkdl.merging

import org.apache.spark.TaskContext

import org.sparkdl.errors.{InvalidInputException, ModelExecutionException}
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.{CellBuffer, TensorSpec}

/** The errors of a reduction. */
final private[merging] class ReduceErrors(task: ReduceTask, context: TaskContext) {
  private def place = s"partition ${context.partitionId()}"

  /** @param row
    *   counted from 0 in the partition
    */
  def invalid(column: Int, reason: String, row: Long): InvalidInputException = {
    val c = task.columns(column)
    new InvalidInputException(
      s"Cannot feed column '${c.name}' to input '${c.spec.name}' of program '${task.name}': $reason, in row $row " +
        s"(counted from 0) of $place. Fix or remove the row, or set handleInvalid to 'skip' to leave such rows out."
    )
  }

  def shapes(column: Int, cells: CellBuffer): InvalidInputException = {
    val c = task.columns(column)
    new InvalidInputException(
      s"Cannot merge rows ($place) with program '${task.name}': values of column '${c.name}' in one group have the " +
        s"shapes ${shape(cells.cell)} and ${shape(cells.otherCell)}; expected one shape, since they are merged as a block " +
        s"${c.spec.typeString}. Pad them to one shape, or use reduce_rows with a program that takes different ones."
    )
  }

  def refused(cause: TfException): ModelExecutionException = new ModelExecutionException(
    s"TensorFlow could not run program '${task.name}' on rows of $place (columns " +
      s"${task.columns.map(_.name).mkString(", ")}): ${cause.getMessage}",
    cause
  )

  def wrongResult(column: Int, cell: Array[Long], rows: Option[Int], result: TfTensor): ModelExecutionException = {
    val c = task.columns(column)
    val expected = shape(rows.map(_.toLong).toArray ++ cell)
    new ModelExecutionException(
      s"Program '${task.name}' merged rows of column '${c.name}' into ${result.dtype} ${shape(result.shape)}: expected " +
        s"${c.spec.dtype} $expected. The result of a merge must have the dtype and the shape of one row, since it is " +
        "merged again."
    )
  }

  private def shape(dims: Array[Long]): String = TensorSpec.shapeString(Some(dims.toSeq))
}
