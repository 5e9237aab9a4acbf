package org.sparkdl.rows

import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{Closeables, DType, NativeRuntime, TfTensor}

/** Single rows of batch tensors. */
private[sparkdl] object TensorRows {

  /** The tensors of `times` rows that are all row `index` of each of `batches`, all or none; the caller closes them.
    */
  def repeated(runtime: NativeRuntime, batches: Array[TfTensor], index: Int, times: Int): Array[TfTensor] =
    Closeables.made(batches.toSeq)(repeated(runtime, _, index, times))

  /** A tensor of `times` rows that are all row `index` of `batch`; the caller closes it. */
  def repeated(runtime: NativeRuntime, batch: TfTensor, index: Int, times: Int): TfTensor = {
    val shape = times.toLong +: batch.shape.tail
    val n = TfTensor.elements(batch.shape.tail)
    if (batch.dtype == DType.Str)
      TfTensor.strings(
        runtime,
        Array.tabulate((times * n).toInt)(i => batch.stringAt(index * n + i % n)),
        shape
      )
    else {
      val rows = TfTensor.allocate(runtime, batch.dtype, shape)
      val bytes = n * batch.dtype.size
      (0 until times).foreach(i =>
        Platform.copyMemory(null, batch.address + index * bytes, null, rows.address + i * bytes, bytes)
      )
      rows
    }
  }
}
