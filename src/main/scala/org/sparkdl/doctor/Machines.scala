package org.sparkdl.doctor

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, ObjectInputStream, ObjectOutputStream}

import scala.util.Using

import org.apache.spark.sql.SparkSession

import org.sparkdl.Doctor

/** Asks the executors. */
private[sparkdl] object Machines {

  /** A report per executor that took a task of a job with several tasks per slot. */
  def executors(session: SparkSession, nativeDir: String): Seq[MachineReport] = {
    val sc = session.sparkContext
    val tasks = math.max(2, 4 * sc.defaultParallelism)
    sc.setJobDescription("sparkdl doctor: look at the executors")
    try
      sc.parallelize(0 until tasks, tasks)
        .map { _ =>
          // Short tasks would all be taken by the first executor that is free.
          Thread.sleep(200)
          val id = Doctor.executorId
          id -> bytesOf(MachineReport.ofThisJvm(s"executor $id", nativeDir))
        }
        .collect()
        .toMap
        .toSeq
        .sortBy(_._1)
        .map { case (_, bytes) => reportOf(bytes) }
    finally sc.setJobDescription(null)
  }

  /** With `spark.kryo.registrationRequired` Spark sends no classes that it does not know, but it does send bytes. */
  private def bytesOf(report: MachineReport): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    Using.resource(new ObjectOutputStream(bytes))(_.writeObject(report))
    bytes.toByteArray
  }

  private def reportOf(bytes: Array[Byte]): MachineReport =
    Using.resource(new ObjectInputStream(new ByteArrayInputStream(bytes)))(_.readObject.asInstanceOf[MachineReport])
}
