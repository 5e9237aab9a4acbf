package org.sparkdl.engine

import org.apache.spark.SparkConf
import org.apache.spark.network.util.{ByteUnit, JavaUtils}

/** The memory of an executor's container, as the application's settings have it, in bytes. YARN and Kubernetes end a
  * container that takes more.
  *
  * @param overhead
  *   beside the heap, where models and tensors are
  * @param reserved
  *   for what is neither: Spark's own off-heap memory and Python's workers
  */
final private[sparkdl] case class ExecutorMemory(heap: Long, overhead: Long, reserved: Long) {
  def container: Long = heap + overhead + reserved

  /** Whether the activations of a batch are a good part of it; executors as Spark starts them are small. */
  def isSmall: Boolean = container < ExecutorMemory.Ample

  /** e.g. "1408 MiB (spark.executor.memory 1024 MiB, overhead 384 MiB)". */
  def describe: String = {
    val more = if (reserved > 0) s", off-heap and Python ${reserved >> 20} MiB" else ""
    s"${container >> 20} MiB (heap ${heap >> 20} MiB, overhead ${overhead >> 20} MiB$more)"
  }
}

private[sparkdl] object ExecutorMemory {
  val Overhead = "spark.executor.memoryOverhead"

  private val Ample = 2L << 30

  /** The settings, with Spark's defaults. */
  def of(conf: SparkConf): ExecutorMemory = {
    def size(key: String): Option[Long] = conf.getOption(key).map(JavaUtils.byteStringAs(_, ByteUnit.MiB) << 20)
    val heap = size("spark.executor.memory").getOrElse(1L << 30)
    val least = size("spark.executor.minMemoryOverhead").getOrElse(384L << 20)
    val overhead = size(Overhead).getOrElse(math.max(least, (heap * factor(conf)).toLong))
    ExecutorMemory(heap, overhead, offHeap(conf) + size("spark.executor.pyspark.memory").getOrElse(0L))
  }

  private def factor(conf: SparkConf): Double = Seq(s"${Overhead}Factor", "spark.kubernetes.memoryOverheadFactor")
    .flatMap(conf.getOption(_))
    .headOption
    .fold(0.1)(_.toDouble)

  private def offHeap(conf: SparkConf): Long =
    if (conf.getBoolean("spark.memory.offHeap.enabled", defaultValue = false))
      conf.getSizeAsBytes("spark.memory.offHeap.size", "0")
    else 0L
}
