package org.sparkdl.merging

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.rows.{BatchMetrics, RowErrors}
import org.sparkdl.tensor.{BatchTensor, CellBuffer}

/** The rows of a task that wait for a merge: their cells in slots, each with the number of its group. After a merge
  * slot `i` holds the result of group `i`. Close it.
  */
final private[merging] class GroupBuffer(task: ReduceTask, metrics: BatchMetrics, context: TaskContext)
    extends AutoCloseable {
  private val errors = new ReduceErrors(task, context)
  private val cells: Array[CellBuffer] = task.buffers
  private val merger = new Merger(task, cells, metrics, errors)
  private var groups = new Array[Int](1 << 8)
  private var count = 0
  private var refusedBy = 0
  private val variable = cells.filterNot(_.fixedSize)
  private var fixedBytes = 0L // of a row's other cells

  def rows: Int = count

  /** Puts the cells of a row into the next slot, where `assign` takes them up; null, OtherShape or why it cannot. */
  def offer(inputs: InternalRow, ordinals: Array[Int]): String = {
    var c = 0
    var reason: String = null
    while (c < cells.length && reason == null) {
      refusedBy = c
      reason = if (inputs.isNullAt(ordinals(c))) RowErrors.Null else cells(c).add(count, inputs, ordinals(c))
      c += 1
    }
    reason
  }

  /** What to throw for the row that was refused last, the partition's `row`th, counted from 0. */
  def refused(reason: String, row: Long): Exception =
    if (reason eq BatchTensor.OtherShape) errors.shapes(refusedBy, cells(refusedBy))
    else errors.invalid(refusedBy, reason, row)

  /** Takes up the row that was offered last. */
  def assign(group: Int): Unit = {
    if (count == groups.length) groups = java.util.Arrays.copyOf(groups, 2 * count)
    groups(count) = group
    count += 1
    if (count == 1) fixedBytes = cells.iterator.filter(_.fixedSize).map(_.bytes(1)).sum
  }

  /** Bytes of the cells. */
  def bytes: Long = {
    var sum = count * fixedBytes
    var c = 0
    while (c < variable.length) { sum += variable(c).bytes(count); c += 1 }
    sum
  }

  /** Merges the rows of each of the groups 0 until `groupCount`, all of which have rows. */
  def merge(groupCount: Int): Unit = if (count > groupCount) {
    val slotBytes = bytes / count
    val mostRows = (task.mergeBytes / math.max(1L, slotBytes)).max(2L).min(task.mostRows.toLong).toInt
    val order = Buckets.of(groups, count, groupCount)
    var pieces = Pieces.of(order.items, order.starts, mostRows)
    pieces.merge(merger, slotBytes)
    while (pieces.count > groupCount) {
      pieces = pieces.next(mostRows)
      pieces.merge(merger, slotBytes)
    }
    keep(pieces.firsts)
  }

  /** Slot i gets what is in `slots(i)`; slots ascend, so that nothing is overwritten that is still to be moved:
    * groups are numbered in the order of their first rows.
    */
  private def keep(slots: Array[Int]): Unit = {
    var i = 0
    while (i < slots.length) {
      if (slots(i) != i) move(slots(i), i)
      groups(i) = i
      i += 1
    }
    count = slots.length
  }

  private def move(from: Int, to: Int): Unit = {
    var c = 0
    while (c < cells.length) { cells(c).move(from, to); c += 1 }
  }

  /** Drops all but the last `kept` groups, 0 or 1; they were merged. */
  def drop(kept: Int): Unit = {
    if (kept > 0 && count > 1) move(count - 1, 0)
    groups(0) = 0
    count = kept
  }

  /** The result of a group, the value of each column. */
  def read(group: Int, into: Array[Any], at: Int): Unit = {
    var c = 0
    while (c < cells.length) { into(at + c) = cells(c).read(group, task.columns(c).reader); c += 1 }
  }

  override def close(): Unit = { cells.foreach(_.close()); merger.close() }
}
