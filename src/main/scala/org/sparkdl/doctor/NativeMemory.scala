package org.sparkdl.doctor

import org.apache.spark.sql.SparkSession

import org.sparkdl.engine.{ExecutorMemory, ModelMemory}
import org.sparkdl.model.{MemoryNeed, NamedModels}

/** Which models fit beside the heap. That the cache of loaded models may become larger is no problem: what counts is
  * a model that is used.
  */
private[doctor] object NativeMemory {

  def of(session: SparkSession): Finding =
    if (session.sparkContext.isLocal) ofMachine(Machine.current.memoryMB << 20, Runtime.getRuntime.maxMemory)
    else ofExecutors(ExecutorMemory.of(session.sparkContext.getConf))

  def ofExecutors(executor: ExecutorMemory): Finding =
    finding(s"executors have ${executor.describe}", executor, ModelMemory(MemoryNeed(0), executor).remedy)

  /** @param bytes
    *   of the driver's machine; 0 if nobody knows
    */
  def ofMachine(bytes: Long, heap: Long): Finding = {
    val text = s"the machine has ${bytes >> 20} MiB, of which the driver's heap may take ${heap >> 20} MiB"
    if (bytes == 0) Finding("native memory", "unknown")
    else finding(text, ExecutorMemory(heap, bytes - heap, reserved = 0), "set spark.driver.memory to less")
  }

  private def finding(has: String, memory: ExecutorMemory, remedy: String): Finding =
    ModelMemory.largest(memory) match {
      case None => Finding("native memory", s"$has, too little for any model", s"$remedy.")
      case Some(most) =>
        Finding("native memory", s"$has, enough for ${MemoryNeed.size(most.weights)} of weights: ${networks(most)}")
    }

  private def networks(most: MemoryNeed): String =
    NamedModels.all.filter(_.weightsMB * 1e6 > most.weights).map(_.name) match {
      case Seq()    => "all named networks"
      case tooLarge => s"all named networks but ${tooLarge.mkString(", ")}"
    }
}
