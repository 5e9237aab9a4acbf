package org.sparkdl.image

import java.util.concurrent.ConcurrentLinkedDeque

import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{NativeRuntime, TfTensor}

/** The reusable memory of one decode at a time: a native buffer for the encoded bytes, the string tensor that views
  * it, and the resampler. Not thread-safe: borrow one with [[DecodeWorker.use]].
  */
private[image] final class DecodeWorker {
  private var capacity = 0L
  private var buffer = 0L
  private var inputs: Array[TfTensor] = Array.empty // the view, once there is something to decode

  val resampler = new Resampler

  /** Runs a decoder on the first `length` bytes, followed by `trailer` if that is not negative; the caller closes the
    * result.
    */
  def decode(
      runtime: NativeRuntime,
      format: String,
      ratio: Int,
      bytes: Array[Byte],
      length: Int,
      trailer: Int = -1
  ): TfTensor = {
    val size = if (trailer < 0) length.toLong else length + 1L
    reserve(size)
    Platform.copyMemory(bytes, Platform.BYTE_ARRAY_OFFSET, null, buffer, length)
    if (trailer >= 0) Platform.putByte(null, buffer + length, trailer.toByte)
    if (inputs.isEmpty) inputs = Array(TfTensor.stringView(runtime, buffer, size))
    else TfTensor.pointTo(inputs(0), buffer, size)
    DecodeGraph.decoder(runtime, format, ratio)(inputs)(0)
  }

  /** Frees a buffer that one huge file made large. */
  def trim(): Unit = if (capacity > DecodeWorker.KeptBytes) free()

  private def reserve(size: Long): Unit = if (size > capacity) {
    free()
    val enough = math.max(size + size / 4, 1L << 18)
    buffer = Platform.allocateMemory(enough) // if there is no memory, there is no capacity
    capacity = enough
  }

  private def free(): Unit = {
    if (buffer != 0L) Platform.freeMemory(buffer)
    buffer = 0L
    capacity = 0L
  }
}

private[image] object DecodeWorker {
  private val KeptBytes = 16L << 20

  /** Idle workers. A pool and not a ThreadLocal: Spark's task threads end when they idle for a minute, and native
    * memory would leak with each. There are never more workers than threads that decoded at the same time.
    */
  private val idle = new ConcurrentLinkedDeque[DecodeWorker]()

  def use[T](body: DecodeWorker => T): T = {
    val pooled = idle.pollFirst()
    val worker = if (pooled == null) new DecodeWorker else pooled
    try body(worker)
    finally {
      worker.trim()
      idle.addFirst(worker)
    }
  }
}
