package org.sparkdl.plan

import org.apache.spark.TaskContext

import org.sparkdl.engine.{Engine, WarmRun}
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.{BatchTensor, CellReader}

/** Runs collected batches and holds their outputs until they are read. For one task; it leases the model at its first
  * batch, so that an empty partition loads nothing.
  */
private[plan] final class BatchRunner(task: BatchTask, metrics: BatchMetrics, context: TaskContext)
    extends AutoCloseable {
  private var lease: Engine.Lease = _
  private var run_ : WarmRun = _

  /** The outputs of the batch, and for each slot the row in them: all slots in one run, or one run each. */
  private var outputs: Array[Array[TfTensor]] = Array.empty
  private var alone = false

  private val tensors = task.readers.map(_._1).toArray
  private val readers: Array[CellReader] = task.readers.map(_._2).toArray

  /** Runs the first `rows` slots. When TensorFlow refuses the batch and invalid rows need not fail the job, each row
    * is run alone and `failed` hears of those that are refused.
    */
  def run(collectors: Array[BatchTensor], rows: Int, failed: (Int, String) => Unit): Unit = {
    val start = System.nanoTime()
    lend()
    val inputs = collectors.map(_.tensor(if (task.fixedBatch) task.capacity else rows))
    alone = false
    try outputs = Array(checked(run_(inputs), inputs(0).shape(0)))
    catch {
      case e: TfException if rowsFault(e) && !task.fixedBatch => runAlone(inputs, rows, failed)
      case e: TfException                                     => throw RowErrors.refused(task, e, context)
    }
    metrics.batches(1)
    metrics.runTime(System.nanoTime() - start)
  }

  /** Whether the values of some row may be the cause, and the job was asked to go on without such rows. */
  private def rowsFault(e: TfException): Boolean =
    task.handleInvalid != HandleInvalid.Error && BatchRunner.AboutValues(e.code)

  private def runAlone(inputs: Array[TfTensor], rows: Int, failed: (Int, String) => Unit): Unit = {
    alone = true
    outputs = new Array[Array[TfTensor]](rows)
    (0 until rows).foreach { slot =>
      val one = inputs.map(TensorRows.copyOf(_, slot))
      try outputs(slot) = checked(run_(one), 1)
      catch { case e: TfException if rowsFault(e) => failed(slot, e.getMessage) }
      finally one.foreach(_.close())
    }
  }

  /** The value of output column `column` for `slot`. */
  def read(column: Int, slot: Int): Any = {
    val batch = if (alone) outputs(slot) else outputs(0)
    readers(column).read(batch(tensors(column)), if (alone) 0 else slot)
  }

  /** Frees the outputs of the last batch. */
  def release(): Unit = {
    outputs.foreach(o => if (o != null) o.foreach(_.close()))
    outputs = Array.empty
  }

  override def close(): Unit = {
    release()
    if (lease != null) { lease.close(); lease = null }
  }

  private def lend(): Unit = if (lease == null) {
    val start = System.nanoTime()
    lease = Engine.acquire(task.shipped, task.precision, task.engine)
    run_ = lease.model.run(task.inputTensors, task.fetches)
    if (lease.loadedNow) metrics.modelLoads(1)
    metrics.loadTime(System.nanoTime() - start)
  }

  /** Refuses outputs that do not have one entry per row: they would shift the rows. */
  private def checked(tensors: Array[TfTensor], rows: Long): Array[TfTensor] = {
    val wrong = tensors.indexWhere(t => t.shape.isEmpty || t.shape(0) != rows)
    if (wrong >= 0) {
      val shape = tensors(wrong).shape.mkString("[", ", ", "]")
      tensors.foreach(_.close())
      throw RowErrors.wrongRows(task, task.fetches(wrong), shape, rows)
    }
    tensors
  }
}

private object BatchRunner {

  /** INVALID_ARGUMENT and OUT_OF_RANGE (`tensorflow/c/tf_status.h`). */
  val AboutValues: Set[Int] = Set(3, 11)
}
