package org.sparkdl.plan

import org.apache.spark.{TaskContext, TaskKilledException}
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{GenericInternalRow, JoinedRow}
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.tensor.BatchTensor

/** Runs a model over the rows of a partition, batch by batch, and gives them back in their order.
  *
  * Each row goes straight into its slot of the batch; what is kept of it is only what is carried along. Output
  * tensors are converted as soon as a batch has run.
  */
final class BatchIterator(task: BatchTask, source: RowSource, metrics: BatchMetrics, context: TaskContext)
    extends Iterator[InternalRow] {

  private val collectors: Array[BatchTensor] = task.feeds.map(_.collector(task.capacity, task.files)).toArray
  private val runner = new BatchRunner(task, metrics, context)
  private val readers = task.readers.size
  private val columns = readers + (if (task.emitError) 1 else 0)
  private val ordinals = source.ordinals
  private val joined = new JoinedRow

  // The current batch, in the order of the rows. slot: >= 0 of a good row, -1 of an invalid one.
  private val limit = math.max(task.capacity, 1)
  private val rows = new Array[InternalRow](limit)
  private val slots = new Array[Int](limit)
  private val reasons = new Array[String](limit)
  private val outputs = new Array[InternalRow](limit)
  private var count = 0
  private var next_ = 0
  private var pending = false // the source stands on a row that has to open the next batch

  context.addTaskCompletionListener[Unit](_ => { collectors.foreach(_.close()); runner.close() })

  override def hasNext: Boolean = {
    while (next_ == count && fill()) {}
    next_ < count
  }

  override def next(): InternalRow = {
    if (!hasNext) throw new NoSuchElementException
    val i = next_
    next_ += 1
    val row = joined(rows(i), outputs(i))
    rows(i) = null
    outputs(i) = null
    row
  }

  /** Collects and runs the next batch; false when the source is exhausted. The batch may come out empty. */
  private def fill(): Boolean = {
    if (context.isInterrupted()) throw new TaskKilledException("the job was cancelled")
    next_ = 0
    count = 0
    val start = System.nanoTime()
    var good = 0
    var taken = 0L
    var full = false
    while (!full && count < limit && (pending || source.advance())) {
      pending = false
      val reason = feed(good)
      if (reason eq BatchTensor.OtherShape) { pending = true; full = true }
      else { good = take(reason, good); taken += 1 }
    }
    metrics.feedTime(System.nanoTime() - start)
    metrics.rows(taken)
    if (good > 0) {
      runner.run(collectors, good, failRow)
      dropSkipped()
    }
    readOutputs()
    // The loop above ends only with rows or at the end of the source, whatever was skipped.
    count > 0 || good > 0
  }

  private def take(reason: String, good: Int): Int =
    if (reason == null) { keep(good, null); good + 1 }
    else { reject(reason); good }

  private def reject(reason: String): Unit = {
    val silent = reason.eq(BatchIterator.NullRow)
    if (!silent) metrics.rejected(1)
    task.handleInvalid match {
      case _ if silent => keep(-1, null)
      case HandleInvalid.Error =>
        throw RowErrors.invalid(task, reason, source.origin, context)
      case HandleInvalid.Skip =>
      case HandleInvalid.Keep => keep(-1, reason)
    }
  }

  private def keep(slot: Int, reason: String): Unit = {
    rows(count) = source.carried()
    slots(count) = slot
    reasons(count) = reason
    count += 1
  }

  /** Puts the current row into `slot` of every input; null, OtherShape or the reason why not. */
  private def feed(slot: Int): String = {
    val inputs = source.inputs
    var i = 0
    var reason = source.rejected
    while (i < collectors.length && reason == null) {
      val at = ordinals(i)
      reason = if (inputs.isNullAt(at)) nullAt(i) else collectors(i).add(slot, inputs, at)
      if (
        reason != null && reason
          .ne(BatchTensor.OtherShape) && reason.ne(BatchIterator.NullRow) && collectors.length > 1
      )
        reason = s"input '${task.inputNames(i)}': $reason"
      i += 1
    }
    reason
  }

  private def nullAt(input: Int): String =
    if (task.nullIsNull) BatchIterator.NullRow else s"the value for input '${task.inputNames(input)}' is null"

  /** A row that TensorFlow refused when it ran alone. */
  private def failRow(slot: Int, reason: String): Unit = {
    metrics.rejected(1)
    var i = 0
    while (slots(i) != slot) i += 1
    slots(i) = -1
    reasons(i) = reason
  }

  /** With handleInvalid = skip, takes out the rows that TensorFlow refused. */
  private def dropSkipped(): Unit = if (task.handleInvalid == HandleInvalid.Skip) {
    var to = 0
    var from = 0
    while (from < count) {
      if (reasons(from) == null) {
        rows(to) = rows(from); slots(to) = slots(from); reasons(to) = null
        to += 1
      }
      from += 1
    }
    count = to
  }

  /** Converts the outputs of the whole batch, so that the tensors can go and time is taken once. */
  private def readOutputs(): Unit = {
    val start = System.nanoTime()
    var i = 0
    while (i < count) {
      val values = new Array[Any](columns)
      if (slots(i) >= 0) {
        var c = 0
        while (c < readers) { values(c) = runner.read(c, slots(i)); c += 1 }
      }
      if (task.emitError && reasons(i) != null) values(columns - 1) = UTF8String.fromString(reasons(i))
      outputs(i) = new GenericInternalRow(values)
      i += 1
    }
    runner.release()
    metrics.readTime(System.nanoTime() - start)
  }
}

private object BatchIterator {

  /** The answer for a row with a null input where null is the documented result (SQL functions). */
  val NullRow = new String("null")
}
