package org.sparkdl.engine

import java.util.concurrent.ConcurrentHashMap

import org.slf4j.LoggerFactory

import org.sparkdl.model.MemoryNeed

/** What a model needs on an executor, and what executors have. */
final private[sparkdl] case class ModelMemory(need: MemoryNeed, executor: ExecutorMemory) {

  /** The overhead that the model needs; the heap, up to a size, is part of what it needs. */
  def overhead: Long = roundedUp(need.most - math.min(executor.heap, MemoryNeed.heap))

  def suffices: Boolean = executor.overhead >= overhead

  /** e.g. "set spark.executor.memoryOverhead=1024m". */
  def remedy: String = s"set ${ExecutorMemory.Overhead}=${overhead >> 20}m or more before the application starts"

  /** @param model
    *   its name
    */
  def describe(model: String): String =
    s"Model '$model' has ${need.describe}. Executors have ${executor.describe}"

  private def roundedUp(bytes: Long): Long = {
    val step = ModelMemory.Step
    math.max(0L, (bytes + step - 1) / step * step)
  }
}

private[sparkdl] object ModelMemory {
  private val Step = 64L << 20

  /** What the largest model needs that executors suffice for; None if they are too small for any. */
  def largest(executor: ExecutorMemory): Option[MemoryNeed] =
    MemoryNeed.within(executor.overhead / Step * Step + math.min(executor.heap, MemoryNeed.heap))
}

/** Says on the driver that executors are too small for a model, before a job starts. */
private[engine] object MemoryWarning {
  private val log = LoggerFactory.getLogger("org.sparkdl.engine.MemoryWarning")
  private val said = ConcurrentHashMap.newKeySet[(String, String)]()

  /** Warns where there is a reason, once per application and model; returns whether it did. */
  def once(application: String, hash: String, model: String, memory: ModelMemory): Boolean = {
    val isNew = !memory.suffices && said.add((application, hash))
    if (isNew) log.warn(text(model, memory))
    isNew
  }

  def text(model: String, memory: ModelMemory): String =
    s"${memory.describe(model)}: YARN and Kubernetes end an executor that takes more. To be safe, ${memory.remedy}."
}
