package org.sparkdl.rows

import org.apache.spark.TaskContext

import org.sparkdl.application.HandleInvalid
import org.sparkdl.errors.ModelExecutionException
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.CellReader

/** Runs collected batches and holds their outputs until they are read. For one task; it leases the model for its
  * first batch, so that an empty partition loads nothing.
  */
private[rows] final class BatchRunner(task: BatchTask, metrics: BatchMetrics, context: TaskContext)
    extends AutoCloseable {
  private val model =
    new LeasedRun(
      task.shipped,
      task.inputs,
      task.outputs,
      task.random.map(_.tensor),
      task.precision,
      task.engine,
      metrics
    )
  private val seeds = task.random.map(new RunSeeds(task.engine.runtime, _))

  /** The outputs of each run: one run of all slots or, if `alone`, one run per slot. */
  private var outputs: Array[Array[TfTensor]] = Array.empty
  private var alone = false

  private val tensors = task.outputs.map(o => task.fetches.indexOf(o.tensor)).toArray
  private val readers: Array[CellReader] = task.readers.toArray

  /** Runs the rows of a group, at least one: together or, where each has its own random numbers, one by one. When
    * TensorFlow refuses the batch and invalid rows need not fail the job, each row is run alone and `failed` is
    * called for those that are refused.
    *
    * A graph that takes a fixed number of rows gets that many: copies of a good row fill up a batch, and a row that
    * runs alone is repeated. The outputs of the copies are ignored.
    */
  def run(group: RowGroup, failed: (Int, String) => Unit): Unit = {
    val start = System.nanoTime()
    val slots = if (task.fixedBatch) task.capacity else group.count
    if (task.block.isDefined && slots != group.count) throw RowErrors.fixedRows(task, group.count, context)
    val inputs = group.tensors(slots)
    try
      if (task.rowByRow) runAlone(inputs, group, slots, failed)
      else runTogether(inputs, group, slots, failed)
    catch { case e: TfException => throw RowErrors.refused(task, e, context) }
    metrics.batches(1)
    metrics.runTime(System.nanoTime() - start)
  }

  /** Whether the values of a row may be the cause, and the job is to go on without such rows, which are found by
    * running each row alone.
    */
  private def rowsMayBeAtFault(e: TfException): Boolean =
    task.handleInvalid != HandleInvalid.Error && task.block.isEmpty && BatchRunner.AboutValues(e.code)

  private def runTogether(
      inputs: Array[TfTensor],
      group: RowGroup,
      slots: Int,
      failed: (Int, String) => Unit
  ): Unit = {
    alone = false
    try outputs = Array(checked(model(seeds.fold(inputs)(inputs :+ _.next())), slots.toLong))
    catch { case e: TfException if rowsMayBeAtFault(e) => runAlone(inputs, group, slots, failed) }
  }

  private def runAlone(
      inputs: Array[TfTensor],
      group: RowGroup,
      slots: Int,
      failed: (Int, String) => Unit
  ): Unit = {
    alone = true
    outputs = new Array[Array[TfTensor]](group.count)
    val times = if (task.fixedBatch) slots else 1
    (0 until group.count).foreach { slot =>
      val oneRow = TensorRows.repeated(task.engine.runtime, inputs, slot, times)
      try {
        val seed = seeds.map(s => if (task.rowByRow) s.of(group.key(slot)) else s.next())
        outputs(slot) = checked(model(oneRow ++ seed), times.toLong)
      } catch { case e: TfException if rowsMayBeAtFault(e) => failed(slot, e.getMessage) }
      finally oneRow.foreach(_.close())
    }
  }

  /** The value of output column `column` for `slot`. */
  def read(column: Int, slot: Int): Any = {
    val batch = if (alone) outputs(slot) else outputs(0)
    readers(column).read(batch(tensors(column)), if (alone) 0 else slot)
  }

  /** The number of rows of the outputs of a block. */
  def rows: Int = Math.toIntExact(outputs(0)(0).shape(0))

  /** Bytes of the outputs; strings count without their text. */
  def bytes: Long = outputs.iterator.filter(_ != null).flatten.map(t => t.elements * t.dtype.size).sum

  /** Frees the outputs of the last batch. */
  def release(): Unit = {
    outputs.foreach(o => if (o != null) o.foreach(_.close()))
    outputs = Array.empty
  }

  override def close(): Unit = {
    release()
    seeds.foreach(_.close())
    model.close()
  }

  /** Refuses outputs that do not have one entry per row: they would shift the rows. Trimmed outputs must all have the
    * same number of rows. And refuses those that are not what the signature says: readers would take other memory for
    * theirs.
    */
  private def checked(fetched: Array[TfTensor], rows: Long): Array[TfTensor] =
    problem(fetched, rows).fold(fetched) { error => fetched.foreach(_.close()); throw error }

  private def problem(fetched: Array[TfTensor], rows: Long): Option[ModelExecutionException] = {
    val expected = if (task.trimmed) fetched(0).shape.headOption.getOrElse(-1L) else rows
    val wrong = fetched.indexWhere(t => t.shape.isEmpty || t.shape(0) != expected)
    if (wrong >= 0 && task.trimmed)
      Some(RowErrors.unequalRows(task, task.fetches.zip(fetched.map(t => RowErrors.shapeString(t.shape))), context))
    else if (wrong >= 0) Some(RowErrors.wrongRows(task, task.fetches(wrong), fetched(wrong).shape, rows))
    else
      tensors.indices.find(i => !admits(i, fetched(tensors(i)))).map { i =>
        RowErrors.otherTensor(task, task.outputs(i), fetched(tensors(i)))
      }
  }

  private def admits(column: Int, tensor: TfTensor) = task.outputs(column).admits(tensor.dtype.code, tensor.shape)
}

private object BatchRunner {

  /** INVALID_ARGUMENT and OUT_OF_RANGE (`tensorflow/c/tf_status.h`). */
  val AboutValues: Set[Int] = Set(3, 11)
}
