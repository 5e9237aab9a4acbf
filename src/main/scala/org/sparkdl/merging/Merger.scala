package org.sparkdl.merging

import org.sparkdl.rows.{BatchMetrics, LeasedRun}
import org.sparkdl.runtime.{Closeables, TfException, TfTensor}
import org.sparkdl.tensor.CellBuffer

/** Merges rows that are in slots. For one task. */
final private[merging] class Merger(
    task: ReduceTask,
    cells: Array[CellBuffer],
    metrics: BatchMetrics,
    errors: ReduceErrors
) extends AutoCloseable {

  private val (single, several) = task.step match {
    case MergeStep.ShippedBlocks(one, many) => (one, many)
    case MergeStep.ShippedPairs(model, _)   => (model, Some(model))
  }
  private val runs = (single +: several.toSeq).distinct
    .map(m => m -> new LeasedRun(m.shipped, m.inputs, m.outputs, None, task.precision, task.engine, metrics))
    .toMap
  private val pairs = task.step.isInstanceOf[MergeStep.ShippedPairs]

  /** Merges each piece, the `length` entries of `slots` from `begins(i)` on, into the piece's first slot.
    *
    * @param slotBytes
    *   approximate bytes of one slot of all columns
    */
  def merge(slots: Array[Int], begins: Array[Int], length: Int, slotBytes: Long): Unit = {
    val atOnce =
      if (several.isEmpty || task.step.ragged) 1
      else math.max(1L, Merger.RunBytes / math.max(1L, slotBytes * length)).min(begins.length.toLong).toInt
    var from = 0
    while (from < begins.length) {
      val until = math.min(begins.length, from + atOnce)
      mergeAtOnce(slots, java.util.Arrays.copyOfRange(begins, from, until), length)
      from = until
    }
  }

  private def mergeAtOnce(slots: Array[Int], begins: Array[Int], length: Int): Unit = {
    val n = begins.length
    val firsts = begins.map(slots(_))
    if (pairs)
      run(
        single,
        gather(Array(n.toLong), firsts, begins.map(b => slots(b + 1))),
        firsts,
        Some(n)
      )
    else if (n == 1)
      run(
        single,
        gather(Array(length.toLong), java.util.Arrays.copyOfRange(slots, begins(0), begins(0) + length)),
        firsts,
        None
      )
    else run(several.get, gather(Array(n.toLong, length.toLong), slotsOf(slots, begins, length)), firsts, Some(n))
  }

  private def slotsOf(slots: Array[Int], begins: Array[Int], length: Int): Array[Int] = {
    val all = new Array[Int](begins.length * length)
    var i = 0
    while (i < begins.length) { System.arraycopy(slots, begins(i), all, i * length, length); i += 1 }
    all
  }

  /** The cells of all columns in some slots, then those in the next, all or none. */
  private def gather(leading: Array[Long], slots: Array[Int]*): Array[TfTensor] =
    Closeables.made(for (some <- slots; column <- cells.toSeq) yield (column, some)) { case (column, some) =>
      column.gather(some, leading)
    }

  /** @param rows
    *   number of results in the first dimension of the outputs; None when an output is one result
    */
  private def run(model: MergeModel, inputs: Array[TfTensor], into: Array[Int], rows: Option[Int]): Unit = {
    val start = System.nanoTime()
    val fetched =
      try runs(model)(inputs)
      catch { case e: TfException => throw errors.refused(e) }
      finally inputs.foreach(_.close())
    try model.fetchIndices.indices.foreach(c => put(c, fetched(model.fetchIndices(c)), into, rows))
    finally fetched.foreach(_.close())
    metrics.batches(1)
    metrics.runTime(System.nanoTime() - start)
  }

  private def put(column: Int, result: TfTensor, into: Array[Int], rows: Option[Int]): Unit = {
    if (!cells(column).fits(result, rows)) throw errors.wrongResult(column, cells(column).cell, rows, result)
    cells(column).put(result, into)
  }

  override def close(): Unit = Closeables.close(runs.values)
}

private object Merger {

  /** How much is gathered for one run: enough to make the 20 microseconds of a call negligible, and little compared
    * with the rows that wait.
    */
  val RunBytes: Long = 1L << 20
}
