package org.sparkdl.model

import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

/** What an executor needs to run a model, as resident memory of its process, with pictures in small batches. The
  * numbers are measured: docs/deploying.md has them per network.
  *
  * @param weights
  *   bytes
  */
final private[sparkdl] case class MemoryNeed(weights: Long) {
  import MemoryNeed._

  /** In float32. */
  def running: Long = process + (weights * number("weightsRunning")).toLong

  /** Whatever the precision: bfloat16 converts large weights in each run. */
  def most: Long = process + (weights * number("weightsAtMost")).toLong

  /** e.g. "575 MB of weights; an executor needs 1.6 GB, and 1.8 GB in bfloat16". */
  def describe: String =
    s"${size(weights)} of weights; an executor needs ${size(running)}, and ${size(most)} in bfloat16"
}

/** The rule by which it is estimated: one for Scala and Python, `python/sparkdl/resources/memory_needs.json`. */
private[sparkdl] object MemoryNeed {
  private val Table = "/org/sparkdl/memory_needs.json"

  private lazy val table: JsonNode =
    Using.resource(getClass.getResourceAsStream(Table))(new ObjectMapper().readTree(_))

  private def number(key: String): Double = table.required(key).asDouble

  private def megabytes(key: String): Long = (number(key) * 1e6).toLong

  /** Bytes without a model: the JVM with Spark and as much of its heap as is used, TensorFlow, a batch. */
  private def process: Long = megabytes("processMB")

  /** Bytes of the heap that are part of the need; a larger heap comes on top. */
  def heap: Long = megabytes("heapMB")

  /** What the largest model needs for which so many bytes suffice; None if they are too few for any. */
  def within(bytes: Long): Option[MemoryNeed] =
    if (bytes < process) None else Some(MemoryNeed(((bytes - process) / number("weightsAtMost")).toLong))

  def of(graph: GraphFiles): MemoryNeed = MemoryNeed(graph.bytes)

  /** A number of bytes for people: "98 MB", "1.4 GB". */
  def size(bytes: Long): String =
    if (bytes < 1000000L) s"${(bytes + 999) / 1000} kB"
    else if (bytes < 1000000000L) s"${(bytes + 500000L) / 1000000L} MB"
    else f"${bytes / 1e9}%.1f GB"
}
