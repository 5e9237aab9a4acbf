package org.sparkdl.rows

import org.apache.spark.TaskContext

import org.sparkdl.application.RowCounts
import org.sparkdl.errors.{InvalidInputException, ModelExecutionException}
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.TensorSpec

/** The operator's errors, which name the model or program, the partition, where the row came from, and the remedy.
  */
private[sparkdl] object RowErrors {

  /** The reason of a row with a null in an input; it is compared by reference. */
  val Null = new String("the value is null")

  /** A reason as it appears in the column of reasons: with the input, unless there is only one. */
  def reason(task: BatchTask, input: Int, why: String): String =
    if (why eq Null) s"the value for input '${task.inputNames(input)}' is null"
    else if (task.inputNames.size > 1) s"input '${task.inputNames(input)}': $why"
    else why

  /** @param why
    *   with the input in it, see [[reason]]
    */
  def invalid(task: BatchTask, why: String, origin: Option[String], context: TaskContext): InvalidInputException =
    new InvalidInputException(
      s"Cannot feed ${origin.fold("a row")(o => s"'$o'")} (partition ${context.partitionId()}) to model " +
        s"'${task.modelName}': $why. Fix or remove it, or set handleInvalid to 'skip' to leave such rows out or to " +
        "'keep' to get null for them (with errorCol, the reasons in a column)."
    )

  /** The same for a user's program, whose inputs are columns.
    *
    * @param row
    *   counted from 0 in the partition
    */
  def invalidColumn(
      task: BatchTask,
      input: Int,
      why: String,
      row: Long,
      context: TaskContext
  ): InvalidInputException =
    new InvalidInputException(
      s"Cannot feed column '${task.inputColumns(input)}' to input '${task.inputNames(input)}' of program " +
        s"'${task.modelName}': $why, in row $row (counted from 0) of partition ${context.partitionId()}. Fix or " +
        "remove the row, or set handleInvalid to 'skip' to leave such rows out."
    )

  def refused(task: BatchTask, cause: TfException, context: TaskContext): ModelExecutionException =
    new ModelExecutionException(
      s"TensorFlow could not run ${kind(task)} '${task.modelName}' on a ${unit(task)} of partition " +
        s"${context.partitionId()} (inputs ${feeds(task)}): ${cause.getMessage}${memoryRemedy(task, cause)}",
      cause
    )

  private def memoryRemedy(task: BatchTask, cause: TfException): String =
    if (!cause.isOutOfMemory) ""
    else
      s". There was no memory for a tensor. ${task.shipped.memoryRemedy}, or run fewer rows at a time " +
        s"(${if (task.block.isDefined) "a smaller block" else "batchSize"})."

  def wrongRows(task: BatchTask, fetch: String, dims: Array[Long], rows: Long): ModelExecutionException =
    new ModelExecutionException(
      s"Output '$fetch' of ${kind(task)} '${task.modelName}' has the shape ${shapeString(dims)}: expected $rows entries in its first " +
        s"dimension, one per row of the ${unit(task)}. " +
        (if (task.block.isDefined)
           "map_blocks needs as many rows as the block has: programs that give another number are run with trim=True " +
             "(mapBlocksTrimmed in Scala), which keeps their outputs only."
         else RowCounts.remedy(dims.headOption, kind(task)))
    )

  def otherTensor(task: BatchTask, said: TensorSpec, tensor: TfTensor): ModelExecutionException =
    new ModelExecutionException(
      s"Output '${said.name}' of ${kind(task)} '${task.modelName}' is ${tensor.dtype} ${shapeString(tensor.shape)} in a run, " +
        s"but its signature says ${said.typeString}. Give the output its true shape: make the bundle or the SavedModel again."
    )

  /** @param shapes
    *   of each fetch
    */
  def unequalRows(task: BatchTask, shapes: Seq[(String, String)], context: TaskContext): ModelExecutionException =
    new ModelExecutionException(
      s"The outputs of program '${task.modelName}' on a block of partition ${context.partitionId()} have no common " +
        s"number of rows: ${shapes.map { case (fetch, shape) => s"'$fetch' $shape" }.mkString(", ")}. Expected the " +
        "same first dimension of all, since each row of the result takes one entry of each output."
    )

  def otherShape(task: BatchTask, group: RowGroup, row: Long, context: TaskContext): InvalidInputException =
    new InvalidInputException(
      s"The partition ${context.partitionId()} cannot be one block of program '${task.modelName}': the values of " +
        s"column '${task.inputColumns(group.failed)}' have the shape ${shapeString(group.refusing.cell)}, but row $row " +
        s"(counted from 0) has ${shapeString(group.refusing.otherCell)}. Give the rows one shape, or a block size: rows of " +
        "another shape then open another block."
    )

  /** For a block with fewer rows than the program's inputs are fixed to. */
  def fixedRows(task: BatchTask, rows: Int, context: TaskContext): ModelExecutionException =
    new ModelExecutionException(
      s"Program '${task.modelName}' takes blocks of exactly ${task.capacity} rows, as its inputs are declared, but " +
        s"$rows are left in partition ${context.partitionId()}. Declare the first dimension as unknown (None)."
    )

  def shapeString(dims: Array[Long]): String = dims.mkString("[", ", ", "]")

  private def kind(task: BatchTask) = if (task.program.isDefined) "program" else "model"
  private def unit(task: BatchTask) = if (task.block.isDefined) "block" else "batch"

  private def feeds(task: BatchTask): String =
    if (task.program.isEmpty) task.inputNames.mkString(", ")
    else task.inputNames.zip(task.inputColumns).map { case (i, c) => s"'$i' from column '$c'" }.mkString(", ")
}
