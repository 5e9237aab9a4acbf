package org.sparkdl.rows

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow

/** Runs a program over the blocks of a partition and gives the rows of its outputs, whatever their number.
  *
  * A block of outputs stays in native memory until its rows have been given.
  */
final class BlockIterator(task: BatchTask, source: RowSource, metrics: BatchMetrics, context: TaskContext)
    extends Iterator[InternalRow] {

  private val groups = RowGroups.of(task)
  private val collector = new RowCollector(task, source, groups, metrics, context)
  private val runner = new BatchRunner(task, metrics, context)
  private val window = new RowWindow(0, carries = false)
  private val readers = task.readers.size
  private val row = new GenericInternalRow(readers)

  // The rows of the current block's outputs, some of them converted: time is taken once for many.
  private val converted = new Array[Any](BlockIterator.Converted * readers)
  private var rows = 0
  private var next_ = 0

  context.addTaskCompletionListener[Unit](_ => { groups.close(); runner.close() })

  override def hasNext: Boolean = {
    while (next_ == rows && fill()) {}
    next_ < rows
  }

  override def next(): InternalRow = {
    if (!hasNext) throw new NoSuchElementException
    if (next_ % BlockIterator.Converted == 0) convert()
    val at = next_ % BlockIterator.Converted * readers
    var c = 0
    while (c < readers) { row.update(c, converted(at + c)); c += 1 }
    next_ += 1
    if (next_ == rows) runner.release()
    row
  }

  /** Runs the next block; false when there is none. Its outputs may have no rows. */
  private def fill(): Boolean = {
    window.clear()
    rows = 0
    next_ = 0
    val found = collector.collect(window)
    groups.foreach(run)
    groups.ran(window, 0L)
    found
  }

  private def run(group: RowGroup): Unit = {
    runner.run(group, (_, _) => ())
    rows = runner.rows
    if (rows == 0) runner.release()
  }

  private def convert(): Unit = {
    val start = System.nanoTime()
    val many = math.min(BlockIterator.Converted, rows - next_)
    var i = 0
    while (i < many) {
      var c = 0
      while (c < readers) { converted(i * readers + c) = runner.read(c, next_ + i); c += 1 }
      i += 1
    }
    metrics.readTime(System.nanoTime() - start)
  }
}

private object BlockIterator {

  /** Rows that are converted together. */
  val Converted = 256
}
