package org.sparkdl.rows

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{JoinedRow, UnsafeRow}

/** Rows on their way through the operator, in their order: each with its carried columns and its result. Grows.
  *
  * @param initial
  *   initial number of rows that it has room for
  * @param carries
  *   false when rows are only counted
  */
final private[rows] class RowWindow(initial: Int, carries: Boolean) {
  private var rows = new Array[InternalRow](if (carries) initial else 0)
  private var outputs = new Array[InternalRow](rows.length)
  private var reasons = new Array[String](rows.length)
  private var rejected = false
  private var cursor = 0
  private val joined = new JoinedRow

  /** The number of rows. */
  var count = 0

  /** Bytes of the carried columns. */
  var bytes = 0L

  /** Removes all rows. */
  def clear(): Unit = {
    count = 0
    cursor = 0
    bytes = 0
    rejected = false
  }

  /** Adds a row; `reason` is null for those that will get a result. */
  def keep(source: RowSource, reason: String): Unit = {
    if (carries) {
      if (count == rows.length) grow()
      val row = source.carried()
      row match {
        case unsafe: UnsafeRow => bytes += unsafe.getSizeInBytes
        case _                 =>
      }
      rows(count) = row
      reasons(count) = reason
      if (reason != null) rejected = true
    }
    count += 1
  }

  private def grow(): Unit = {
    rows = java.util.Arrays.copyOf(rows, count * 2)
    outputs = java.util.Arrays.copyOf(outputs, count * 2)
    reasons = java.util.Arrays.copyOf(reasons, count * 2)
  }

  /** Marks a row that gets no result. */
  def fail(row: Int, reason: String): Unit = {
    reasons(row) = reason
    rejected = true
  }

  /** Why the row gets no result; null when it does. */
  def reason(row: Int): String = reasons(row)

  /** Sets the result of a row. */
  def put(row: Int, output: InternalRow): Unit = outputs(row) = output

  /** Gives rows without a result what `failed` returns for their reasons.
    *
    * @param drop
    *   removes them instead
    */
  def finish(drop: Boolean, failed: String => InternalRow): Unit = if (rejected) {
    var to = 0
    var from = 0
    while (from < count) {
      val good = reasons(from) == null
      if (good || !drop) {
        rows(to) = rows(from)
        outputs(to) = if (good) outputs(from) else failed(reasons(from))
        to += 1
      }
      from += 1
    }
    count = to
  }

  /** Whether there are rows that [[next]] has not returned yet. */
  def hasNext: Boolean = cursor < count

  /** The next row with its result; the same object is used again for the row after it. */
  def next(): InternalRow = {
    val row = joined(rows(cursor), outputs(cursor))
    rows(cursor) = null
    outputs(cursor) = null
    cursor += 1
    row
  }
}
