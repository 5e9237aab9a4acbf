package org.sparkdl.plan

import org.apache.spark.TaskContext
import org.apache.spark.unsafe.Platform

import org.sparkdl.errors.{InvalidInputException, ModelExecutionException}
import org.sparkdl.runtime.{DType, TfException, TfTensor}

/** The words of the operator's errors: the model, the partition, where the row came from, and the remedy. */
private[plan] object RowErrors {

  def invalid(task: BatchTask, reason: String, origin: Option[String], context: TaskContext): InvalidInputException =
    new InvalidInputException(
      s"Cannot feed ${origin.fold("a row")(o => s"'$o'")} (partition ${context.partitionId()}) to model " +
        s"'${task.modelName}': $reason. Mend or remove it, or set handleInvalid to 'skip' to leave such rows out or to " +
        "'keep' to get null for them (with errorCol, the reasons in a column)."
    )

  def refused(task: BatchTask, cause: TfException, context: TaskContext): ModelExecutionException =
    new ModelExecutionException(
      s"TensorFlow could not run model '${task.modelName}' on a batch of partition ${context.partitionId()} " +
        s"(inputs ${task.inputNames.mkString(", ")}): ${cause.getMessage}",
      cause
    )

  def wrongRows(task: BatchTask, fetch: String, shape: String, rows: Long): ModelExecutionException =
    new ModelExecutionException(
      s"Output '$fetch' of model '${task.modelName}' has the shape $shape: expected $rows entries in its first " +
        s"dimension, one per row of the batch. The model must not mix or drop rows."
    )
}

/** Single rows of batch tensors. */
private[plan] object TensorRows {

  /** Row `index` of `batch` as a tensor of one row. */
  def copyOf(batch: TfTensor, index: Int): TfTensor = {
    val shape = 1L +: batch.shape.tail
    val n = TfTensor.elements(shape)
    if (batch.dtype == DType.Str)
      TfTensor.strings(Array.tabulate(n.toInt)(i => batch.stringAt(index * n + i)), shape)
    else {
      val row = TfTensor.allocate(batch.dtype, shape)
      val bytes = n * batch.dtype.size
      Platform.copyMemory(null, batch.address + index * bytes, null, row.address, bytes)
      row
    }
  }
}
