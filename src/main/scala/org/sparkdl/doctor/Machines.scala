package org.sparkdl.doctor

import org.apache.spark.SparkEnv
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.sparkdl.frames.TaskResults

import org.sparkdl.runtime.NativeRuntime

/** Examines the executors. */
private[sparkdl] object Machines {

  /** A report per executor that took a task of a job with several tasks per slot. */
  def executors(session: SparkSession, runtime: NativeRuntime): Seq[MachineReport] = {
    val sc = session.sparkContext
    val tasks = math.max(2, 4 * sc.defaultParallelism)
    sc.setJobDescription("sparkdl doctor: look at the executors")
    try
      TaskResults
        .perPartition(sc.parallelize(0 until tasks, tasks)) { _ =>
          // Short tasks would all be taken by the first executor that is free.
          Thread.sleep(200)
          val id = SparkEnv.get.executorId
          id -> MachineReport.ofThisJvm(s"executor $id", runtime)
        }
        .toMap
        .toSeq
        .sortBy(_._1)
        .map(_._2)
    finally sc.setJobDescription(null)
  }
}
