package org.sparkdl.rows

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.runtime.{Closeables, TfTensor}
import org.sparkdl.tensor.{BatchTensor, InputFeed}

/** Rows that run together: their inputs, slot by slot, and the row that each slot belongs to. For one task.
  *
  * @param initial
  *   initial number of slots
  */
final private[rows] class RowGroup(task: BatchTask, feeds: Seq[InputFeed], initial: Int) extends AutoCloseable {
  private val collectors: Array[BatchTensor] =
    Closeables.made(feeds)(_.collector(task.engine.runtime, initial, task.files))
  private var rows = new Array[Int](initial)
  private var keys = if (task.rowByRow) new Array[Long](initial) else Array.emptyLongArray

  /** The number of rows. */
  var count = 0

  /** The input that the last reason is about. */
  var failed = 0

  /** The row of the window that `slot` belongs to. */
  def row(slot: Int): Int = rows(slot)

  /** What distinguishes the row in `slot` from others, where rows are run one by one. */
  def key(slot: Int): Long = keys(slot)

  /** Sets the key of the row that was added last. */
  def setKey(key: Long): Unit = {
    if (count > keys.length) keys = java.util.Arrays.copyOf(keys, rows.length)
    keys(count - 1) = key
  }

  /** Adds a row whose inputs are at `ordinals`.
    *
    * @param row
    *   its number in the window
    * @return
    *   null when it was added; [[BatchTensor.OtherShape]], [[RowErrors.Null]] or another reason why it was not
    */
  def add(inputs: InternalRow, ordinals: Array[Int], row: Int): String = {
    var i = 0
    while (i < collectors.length) {
      val at = ordinals(i)
      val reason = if (inputs.isNullAt(at)) RowErrors.Null else collectors(i).add(count, inputs, at)
      if (reason != null) { failed = i; return reason }
      i += 1
    }
    if (count == rows.length) rows = java.util.Arrays.copyOf(rows, count * 2)
    rows(count) = row
    count += 1
    null
  }

  /** Bytes of the inputs of the row that was added last. */
  def bytes: Long = {
    var sum = 0L
    var i = 0
    while (i < collectors.length) { sum += collectors(i).bytes; i += 1 }
    sum
  }

  /** Announces that it will have up to `rows` rows. */
  def expect(rows: Int): Unit = collectors.foreach(_.expect(rows))

  /** The collector that refused the last value. */
  def refusing: BatchTensor = collectors(failed)

  /** The inputs with `slots` slots; valid until the next `add`. Where there are fewer rows, copies of the first fill
    * the rest.
    */
  def tensors(slots: Int): Array[TfTensor] = collectors.map(_.tensor(slots, math.min(slots, count)))

  /** Removes all rows. */
  def clear(): Unit = count = 0

  override def close(): Unit = collectors.foreach(_.close())
}
