package org.sparkdl.rows

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow

/** Runs a program over the blocks of a partition and returns the rows of its outputs, however many there are.
  *
  * The outputs of a block stay in native memory until their rows have been returned.
  */
final class BlockIterator(task: BatchTask, source: RowSource, metrics: BatchMetrics, context: TaskContext)
    extends Iterator[InternalRow] {

  private val groups = RowGroups.of(task)
  private val collector = new RowCollector(task, source, groups, metrics, context)
  private val runner = new BatchRunner(task, metrics, context)
  private val window = new RowWindow(0, carries = false)
  private val readers = task.readers.size
  private val row = new GenericInternalRow(readers)

  // Some rows of the current block's outputs, converted: the time is measured once for many rows.
  private val converted = new Array[Any](BlockIterator.Converted * readers)
  private var rows = 0
  private var cursor = 0

  context.addTaskCompletionListener[Unit](_ => { groups.close(); runner.close() })

  override def hasNext: Boolean = {
    while (cursor == rows && fill()) {}
    cursor < rows
  }

  override def next(): InternalRow = {
    if (!hasNext) throw new NoSuchElementException
    if (cursor % BlockIterator.Converted == 0) convert()
    val at = cursor % BlockIterator.Converted * readers
    var c = 0
    while (c < readers) { row.update(c, converted(at + c)); c += 1 }
    cursor += 1
    if (cursor == rows) runner.release()
    row
  }

  /** Runs the next block; false when there is none. Its outputs may have no rows. */
  private def fill(): Boolean = {
    window.clear()
    rows = 0
    cursor = 0
    val collected = collector.collect(window)
    groups.foreach(run)
    groups.afterRun(window, 0L)
    collected
  }

  private def run(group: RowGroup): Unit = {
    runner.run(group, (_, _) => ())
    rows = runner.rows
    if (rows == 0) runner.release()
  }

  private def convert(): Unit = {
    val start = System.nanoTime()
    val count = math.min(BlockIterator.Converted, rows - cursor)
    var i = 0
    while (i < count) {
      var c = 0
      while (c < readers) { converted(i * readers + c) = runner.read(c, cursor + i); c += 1 }
      i += 1
    }
    metrics.readTime(System.nanoTime() - start)
  }
}

private object BlockIterator {

  /** Rows that are converted together. */
  val Converted = 256
}
