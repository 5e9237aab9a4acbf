package org.sparkdl.merging

import org.sparkdl.rows.{BatchMetrics, LeasedRun}
import org.sparkdl.runtime.{TfException, TfTensor}
import org.sparkdl.tensor.CellBuffer

/** Runs merges of rows that are in slots: for one task. */
final private[merging] class Merger(
    task: ReduceTask,
    cells: Array[CellBuffer],
    metrics: BatchMetrics,
    errors: ReduceErrors
) extends AutoCloseable {

  private val (single, several) = task.step match {
    case MergeStep.Blocks(one, many) => (one, many)
    case MergeStep.Pairs(model, _)   => (model, Some(model))
  }
  private val runs = (single +: several.toSeq).distinct
    .map(m => m -> new LeasedRun(m.shipped, m.inputs, m.fetches, task.precision, task.engine, metrics))
    .toMap
  private val pairs = task.step.isInstanceOf[MergeStep.Pairs]

  /** Merges each of these pieces, `length` slots from `begins(i)` on in `slots`, into the first slot of the piece.
    *
    * @param slotBytes
    *   of all columns, about
    */
  def merge(slots: Array[Int], begins: Array[Int], length: Int, slotBytes: Long): Unit = {
    val atOnce =
      if (several.isEmpty || task.step.ragged) 1
      else math.max(1L, Merger.RunBytes / math.max(1L, slotBytes * length)).min(begins.length.toLong).toInt
    var from = 0
    while (from < begins.length) {
      val until = math.min(begins.length, from + atOnce)
      some(slots, java.util.Arrays.copyOfRange(begins, from, until), length)
      from = until
    }
  }

  private def some(slots: Array[Int], begins: Array[Int], length: Int): Unit = {
    val n = begins.length
    val firsts = begins.map(slots(_))
    if (pairs)
      run(
        single,
        gather(firsts, Array(n.toLong)) ++ gather(begins.map(b => slots(b + 1)), Array(n.toLong)),
        firsts,
        Some(n)
      )
    else if (n == 1)
      run(
        single,
        gather(java.util.Arrays.copyOfRange(slots, begins(0), begins(0) + length), Array(length.toLong)),
        firsts,
        None
      )
    else run(several.get, gather(pieces(slots, begins, length), Array(n.toLong, length.toLong)), firsts, Some(n))
  }

  private def pieces(slots: Array[Int], begins: Array[Int], length: Int): Array[Int] = {
    val all = new Array[Int](begins.length * length)
    var i = 0
    while (i < begins.length) { System.arraycopy(slots, begins(i), all, i * length, length); i += 1 }
    all
  }

  private def gather(slots: Array[Int], leading: Array[Long]): Array[TfTensor] = cells.map(_.gather(slots, leading))

  /** @param rows
    *   results in the first dimension of the outputs; None when an output is one result
    */
  private def run(model: MergeModel, inputs: Array[TfTensor], into: Array[Int], rows: Option[Int]): Unit = {
    val start = System.nanoTime()
    val fetched =
      try runs(model)(inputs)
      catch { case e: TfException => throw errors.refused(e) }
      finally inputs.foreach(_.close())
    try model.places.indices.foreach(c => put(c, fetched(model.places(c)), into, rows))
    finally fetched.foreach(_.close())
    metrics.batches(1)
    metrics.runTime(System.nanoTime() - start)
  }

  private def put(column: Int, result: TfTensor, into: Array[Int], rows: Option[Int]): Unit = {
    if (!cells(column).fits(result, rows)) throw errors.wrongResult(column, cells(column).cell, rows, result)
    cells(column).put(result, into)
  }

  override def close(): Unit = runs.values.foreach(_.close())
}

private object Merger {

  /** What is gathered for one run: enough to make the call's 20 microseconds small, and not much beside the rows that
    * wait.
    */
  val RunBytes: Long = 1L << 20
}
