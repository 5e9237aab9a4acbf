package org.sparkdl.rows

import org.apache.spark.{TaskContext, TaskKilledException}

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.tensor.BatchTensor

/** Takes rows from a source into groups until these have to run. Rows that cannot be fed are treated as the task
  * says. For one task.
  */
final private[rows] class RowCollector(
    task: BatchTask,
    source: RowSource,
    groups: RowGroups,
    metrics: BatchMetrics,
    context: TaskContext
) {
  private val ordinals = source.ordinals
  private var position = -1L // of the source's current row in the partition
  private var failed = 0 // the input that a reason is about
  private var pending = false // the source is at a row that has to open the next block or batch

  /** Collects the rows of the next runs into the groups and the window; false when there are no more rows. */
  def collect(window: RowWindow): Boolean = {
    if (context.isInterrupted()) throw new TaskKilledException("the job was cancelled")
    val start = System.nanoTime()
    var count = 0L
    var shapeChanged = false
    while (!shapeChanged && !groups.full(window) && (pending || advance())) {
      pending = false
      val reason = feed(window)
      if (reason eq BatchTensor.OtherShape) { shapeChanged = true; pending = true }
      else { if (reason != null) reject(window, reason); count += 1 }
    }
    metrics.feedTime(System.nanoTime() - start)
    metrics.rows(count)
    count > 0
  }

  private def advance(): Boolean = { position += 1; source.advance() }

  /** Puts the current row into its group and into the window; returns null, OtherShape or the reason why it cannot.
    */
  private def feed(window: RowWindow): String = {
    val rejected = source.rejected
    if (rejected != null) { failed = -1; rejected }
    else {
      val inputs = source.inputs
      val group = groups.of(inputs, ordinals)
      if (group == null) { failed = groups.failed; groups.reason }
      else {
        val reason = group.add(inputs, ordinals, window.count)
        if (reason == null) {
          if (task.rowByRow) group.setKey(source.key)
          groups.rowAdded()
          window.keep(source, null)
        } else { failed = group.failed; if (reason eq BatchTensor.OtherShape) otherShape(group) }
        reason
      }
    }
  }

  private def otherShape(group: RowGroup): Unit =
    if (task.block.contains(BlockSize.Partition)) throw RowErrors.otherShape(task, group, position, context)

  private def reject(window: RowWindow, why: String): Unit =
    if ((why eq RowErrors.Null) && task.nullIsNull) window.keep(source, why)
    else {
      metrics.rejected(1)
      task.handleInvalid match {
        case HandleInvalid.Error => throw invalid(why)
        case HandleInvalid.Skip  =>
        case HandleInvalid.Keep  => window.keep(source, reason(why))
      }
    }

  private def reason(why: String): String = if (failed < 0) why else RowErrors.reason(task, failed, why)

  private def invalid(why: String): Exception =
    if (task.program.isDefined && failed >= 0) RowErrors.invalidColumn(task, failed, why, position, context)
    else RowErrors.invalid(task, reason(why), source.origin, context)
}
