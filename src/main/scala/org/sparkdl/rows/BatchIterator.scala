package org.sparkdl.rows

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.application.HandleInvalid

/** Runs a model over the rows of a partition, batch by batch or block by block, and returns them in their order.
  *
  * Each row goes straight into its slot of the batch; only its carried columns are kept. Output tensors are converted
  * as soon as a batch has run.
  */
final class BatchIterator(task: BatchTask, source: RowSource, metrics: BatchMetrics, context: TaskContext)
    extends Iterator[InternalRow] {

  private val groups = owned(RowGroups.of(task))
  private val collector = new RowCollector(task, source, groups, metrics, context)
  private val runner = owned(new BatchRunner(task, metrics, context))
  private val window = new RowWindow(math.max(task.capacity, 1), carries = true)
  private val readers = task.readers.size
  private val columns = readers + (if (task.emitError) 1 else 0)
  private var outputBytes = 0L // bytes of the window's outputs

  /** Closed when the task ends, even if what comes next cannot be made or closed. */
  private def owned[T <: AutoCloseable](made: T): T = {
    context.addTaskCompletionListener[Unit](_ => made.close())
    made
  }

  override def hasNext: Boolean = {
    while (!window.hasNext && fill()) {}
    window.hasNext
  }

  override def next(): InternalRow = {
    if (!hasNext) throw new NoSuchElementException
    window.next()
  }

  /** Collects and runs the next rows; false when the source is exhausted. They may all have been skipped. */
  private def fill(): Boolean = {
    window.clear()
    val collected = collector.collect(window)
    outputBytes = 0
    groups.foreach(run)
    groups.afterRun(window, outputBytes)
    window.finish(task.handleInvalid == HandleInvalid.Skip, withoutResult)
    collected
  }

  private def run(group: RowGroup): Unit = {
    runner.run(group, (slot, reason) => { metrics.rejected(1); window.fail(group.row(slot), reason) })
    val start = System.nanoTime()
    outputBytes += runner.bytes
    var slot = 0
    while (slot < group.count) {
      val row = group.row(slot)
      if (window.reason(row) == null) window.put(row, result(slot))
      slot += 1
    }
    runner.release()
    metrics.readTime(System.nanoTime() - start)
  }

  private def result(slot: Int): InternalRow = {
    val values = new Array[Any](columns)
    var c = 0
    while (c < readers) { values(c) = runner.read(c, slot); c += 1 }
    new GenericInternalRow(values)
  }

  private def withoutResult(reason: String): InternalRow = {
    val values = new Array[Any](columns)
    if (task.emitError && reason.ne(RowErrors.Null)) values(columns - 1) = UTF8String.fromString(reason)
    new GenericInternalRow(values)
  }
}
