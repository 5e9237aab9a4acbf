package org.sparkdl.rows

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.application.BlockSize

/** How the rows of a partition are put together into runs. For one task. */
private[rows] abstract class RowGroups extends AutoCloseable {

  /** The group that a row with these inputs goes to; null when that cannot be told: see [[reason]]. */
  def of(inputs: InternalRow, ordinals: Array[Int]): RowGroup

  /** Why there is no group, and the input that this is about. */
  var reason: String = _
  var failed = 0

  /** Called when a row was added to the group that `of` returned. */
  def rowAdded(): Unit

  /** Whether the groups have to run before more rows are taken. */
  def full(window: RowWindow): Boolean

  /** The groups that have rows. */
  def foreach(run: RowGroup => Unit): Unit

  /** Makes room for the next rows, after all groups have run.
    *
    * @param outputs
    *   bytes of the groups' outputs
    */
  def afterRun(window: RowWindow, outputs: Long): Unit
}

private[rows] object RowGroups {

  def of(task: BatchTask): RowGroups =
    if (task.block.isDefined) new BlockGroups(task, task.block.get)
    else if (task.capacity > 1 && task.feeds.exists(_.cellShape.isDefined) && !task.feeds.exists(_.opensBatches))
      new ShapedGroups(task)
    else new BatchGroups(task)
}

/** One group at a time. */
private[rows] abstract class OneGroup(task: BatchTask, initial: Int) extends RowGroups {
  protected val group = new RowGroup(task, task.feeds, initial)

  override def of(inputs: InternalRow, ordinals: Array[Int]): RowGroup = group
  override def foreach(run: RowGroup => Unit): Unit = if (group.count > 0) run(group)
  override def afterRun(window: RowWindow, outputs: Long): Unit = group.clear()
  override def close(): Unit = group.close()
}

/** As many rows per run as the task says. */
final private class BatchGroups(task: BatchTask) extends OneGroup(task, math.max(task.capacity, 1)) {
  private val maxRows = math.max(task.capacity, 1)

  override def rowAdded(): Unit = ()
  override def full(window: RowWindow): Boolean = window.count >= maxRows
}

/** Blocks: the first row of each settles how many rows it may have. */
final private class BlockGroups(task: BatchTask, size: BlockSize) extends OneGroup(task, BlockGroups.Initial) {
  private var maxRows = 0

  override def rowAdded(): Unit = if (group.count == 1) {
    maxRows = rows
    group.expect(maxRows)
  }

  override def full(window: RowWindow): Boolean = group.count > 0 && group.count >= maxRows

  private def rows: Int =
    if (task.fixedBatch) task.capacity
    else
      size match {
        case BlockSize.Rows(n)                         => n
        case BlockSize.Memory(bytes) if rowBytes > 0   => (bytes / rowBytes).max(1).min(Int.MaxValue.toLong).toInt
        case BlockSize.Memory(_) | BlockSize.Partition => Int.MaxValue
      }

  private def rowBytes: Long =
    task.program.fold(group.bytes)(row => group.bytes * (1 + row.unknown) + row.bytes)
}

private object BlockGroups {

  /** Initial number of slots. */
  val Initial = 64
}
