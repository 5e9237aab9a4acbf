package org.sparkdl.runtime

import org.apache.spark.SparkEnv

/** How many threads one TensorFlow operation gets when it runs beside other tasks of the same executor. */
private[sparkdl] object TaskThreads {

  /** The setting `intraOpThreads`, or for 0 the executor's cores divided by its task slots. */
  def of(setting: Int): Int =
    if (setting > 0) setting else math.max(1, Runtime.getRuntime.availableProcessors() / taskSlots)

  /** How many tasks this executor runs at once. */
  private def taskSlots: Int = Option(SparkEnv.get).fold(1) { env =>
    val perTask = env.conf.getInt("spark.task.cpus", 1)
    val cores = coresOfLocal(env.conf.get("spark.master", ""))
      .orElse(env.conf.getOption("spark.executor.cores").map(_.toInt))
    math.max(1, cores.getOrElse(Runtime.getRuntime.availableProcessors()) / perTask)
  }

  private val Local = """local(?:\[(\*|\d+)(?:,\s*\d+)?\])?""".r
  private val Cluster = """local-cluster\[\s*\d+\s*,\s*(\d+)\s*,\s*\d+\s*\]""".r

  /** Task slots of `local`, `local[n]`, `local[*]` and of an executor of `local-cluster[...]`; None for others. */
  def coresOfLocal(master: String): Option[Int] = master match {
    case Local(null) => Some(1)
    case Local("*")  => Some(Runtime.getRuntime.availableProcessors())
    case Local(n)    => Some(n.toInt)
    case Cluster(n)  => Some(n.toInt)
    case _           => None
  }
}
