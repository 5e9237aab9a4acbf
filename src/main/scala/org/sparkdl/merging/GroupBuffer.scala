package org.sparkdl.merging

import org.apache.spark.TaskContext
import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.rows.{BatchMetrics, RowErrors}
import org.sparkdl.runtime.Closeables
import org.sparkdl.tensor.{BatchTensor, CellBuffer}

/** The rows of a task that wait for a merge: their cells are in slots, each with the number of its group. After a
  * merge slot `i` holds the result of group `i`. Close it.
  */
final private[merging] class GroupBuffer(task: ReduceTask, metrics: BatchMetrics, context: TaskContext)
    extends AutoCloseable {
  private val errors = new ReduceErrors(task, context)
  private val cells: Array[CellBuffer] = task.buffers
  private val merger = new Merger(task, cells, metrics, errors)
  private var groups = new Array[Int](1 << 8)
  private var count = 0
  private var refusingColumn = 0
  private val variableCells = cells.filterNot(_.fixedSize)
  private var fixedBytes = 0L // of a row's other cells

  def rows: Int = count

  /** Puts the cells of a row into the next slot, where `assign` accepts them; returns null, OtherShape or why it
    * cannot.
    */
  def offer(inputs: InternalRow, ordinals: Array[Int]): String = {
    var c = 0
    var reason: String = null
    while (c < cells.length && reason == null) {
      refusingColumn = c
      reason = if (inputs.isNullAt(ordinals(c))) RowErrors.Null else cells(c).add(count, inputs, ordinals(c))
      c += 1
    }
    reason
  }

  /** The exception for the row that was refused last, number `row` of the partition, counted from 0. */
  def refusal(reason: String, row: Long): Exception =
    if (reason eq BatchTensor.OtherShape) errors.shapes(refusingColumn, cells(refusingColumn))
    else errors.invalid(refusingColumn, reason, row)

  /** Accepts the row that was offered last. */
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
    while (c < variableCells.length) { sum += variableCells(c).bytes(count); c += 1 }
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

  /** Moves `slots(i)` to slot i; slots ascend, so that nothing is overwritten that has yet to be moved: groups are
    * numbered in the order of their first rows.
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

  /** Drops all groups but the last `kept`, 0 or 1, after a merge. */
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

  override def close(): Unit = Closeables.close(cells.toSeq :+ merger)
}
