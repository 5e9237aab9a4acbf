package org.sparkdl.merging

import org.apache.spark.{TaskContext, TaskKilledException}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{GenericInternalRow, JoinedRow, UnsafeRow}

import org.sparkdl.application.HandleInvalid
import org.sparkdl.rows.BatchMetrics
import org.sparkdl.tensor.BatchTensor

/** Rows with keys on their way into a merge. The source does not retain them. */
trait KeyedRows {

  /** Moves to the next row; false at the end. */
  def advance(): Boolean

  /** A row with what is merged; column `i` is at `ordinals(i)`. */
  def inputs: InternalRow
  def ordinals: Array[Int]

  /** The key of the current row; it may be overwritten by the next. */
  def key: UnsafeRow
}

/** Merges the rows of each group of a partition: returns the keys, then (if `numbered`) a bigint that grows from row
  * to row and from partition to partition, then the results.
  *
  * Rows wait in slots until there is no more room; then all groups are merged, and those that need not stay leave.
  * Where keys are not sorted a group may come out several times.
  */
final class ReduceIterator(
    task: ReduceTask,
    source: KeyedRows,
    keyCount: Int,
    sorted: Boolean,
    numbered: Boolean,
    metrics: BatchMetrics,
    context: TaskContext
) extends Iterator[InternalRow] {
  private val keys: GroupKeys = if (sorted) new SortedKeys(keyCount) else new HashedKeys(keyCount)
  private val buffer = new GroupBuffer(task, metrics, context)
  private val ordinals = source.ordinals
  private val joined = new JoinedRow

  private var ready = 0 // groups that leave: the first ones
  private var cursor = 0 // the next of them to return
  private var pending = false // the source is at a row that has not been taken
  private var finished = false
  private var row = 0L // of the source, counted from 0
  private var number = context.partitionId().toLong << ReduceIterator.RowBits
  private val values = new GenericInternalRow(task.columns.size + (if (numbered) 1 else 0))

  context.addTaskCompletionListener[Unit](_ => buffer.close())

  override def hasNext: Boolean = {
    while (cursor == ready && !finished) fill()
    cursor < ready
  }

  override def next(): InternalRow = {
    if (!hasNext) throw new NoSuchElementException
    if (numbered) { values.setLong(0, number); number += 1 }
    buffer.read(cursor, values.values, if (numbered) 1 else 0)
    cursor += 1
    joined(keys(cursor - 1), values)
  }

  /** Takes rows until groups are ready to leave or there are no more rows. */
  private def fill(): Unit = {
    if (context.isInterrupted()) throw new TaskKilledException("the job was cancelled")
    forgetReady()
    val start = System.nanoTime()
    val before = row
    var room = true
    while (room && (pending || source.advance())) {
      pending = false
      room = take()
      if (!pending) row += 1
    }
    metrics.feedTime(System.nanoTime() - start)
    metrics.rows(row - before)
    release(room)
  }

  /** Merges all groups and decides which of them leave. */
  private def release(atEnd: Boolean): Unit = {
    val before = buffer.rows
    buffer.merge(keys.size)
    finished = atEnd
    ready = if (atEnd || pending) keys.size else keys.leavingCount(before)
  }

  private def forgetReady(): Unit = {
    val kept = keys.size - ready
    if (ready > 0) { buffer.drop(kept); keys.forget(kept) }
    ready = 0
    cursor = 0
  }

  /** Takes the current row; false when there is no room for another, or none for this one, which then stays pending.
    */
  private def take(): Boolean = {
    val reason = buffer.offer(source.inputs, ordinals)
    if (reason == null) { buffer.assign(keys.groupOf(source.key)); !isFull }
    else if (reason.eq(BatchTensor.OtherShape) && !keys.open(source.key)) { pending = true; false }
    else { reject(reason); true }
  }

  private def reject(reason: String): Unit = {
    metrics.rejected(1)
    if (task.handleInvalid == HandleInvalid.Error || reason.eq(BatchTensor.OtherShape))
      throw buffer.refusal(reason, row)
  }

  private def isFull: Boolean =
    buffer.rows >= ReduceIterator.MostRows && task.waitingBytes != Long.MaxValue ||
      buffer.rows > 1 && buffer.bytes + keys.bytes > task.waitingBytes
}

object ReduceIterator {

  /** Like `monotonically_increasing_id`: the partition, then the row. */
  private val RowBits = 33

  /** Rows that wait at once. With 100,000 keys each merge has some rows of every key; keys and tables take about 25
    * MB.
    */
  private val MostRows = 1 << 19
}
