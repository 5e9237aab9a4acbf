package org.sparkdl

import org.apache.spark.sql.SparkSession

import org.sparkdl.doctor.{DriverChecks, Finding, MachineReport, Machines}
import org.sparkdl.runtime.NativeRuntime

/** Checks whether sparkdl can work in a session: on the driver and on every executor.
  *
  * {{{
  * println(Doctor.examine(spark).text)
  * }}}
  */
object Doctor {

  /** Examines the driver and the executors that the session has now.
    *
    * Runs one short job, which loads TensorFlow's native library wherever it is not loaded yet.
    */
  def examine(session: SparkSession): Report = {
    val settings = Sessions.settingsOf(session)
    val runtime = NativeRuntime.of(settings)
    val driver = MachineReport.ofThisJvm("driver", runtime)
    val local = session.sparkContext.isLocal
    val executors = if (local) Nil else Machines.executors(session, runtime)
    Report(driver, executors, DriverChecks.of(session, settings))
  }

  /** The findings of an examination.
    *
    * @param driver
    *   the driver's machine
    * @param executors
    *   one per executor; empty in local mode, where the driver is the executor
    * @param session
    *   what concerns the session: versions, model cache, memory
    */
  final case class Report(driver: MachineReport, executors: Seq[MachineReport], session: Seq[Finding]) {

    /** What has to be fixed, with the remedies. */
    def problems: Seq[Finding] = (session ++ driver.findings ++ executors.flatMap(_.findings)).filterNot(_.ok)

    /** Whether there is nothing to fix. */
    def healthy: Boolean = problems.isEmpty

    /** A report for people: everything that was checked, problems marked with their remedies. */
    def text: String = {
      val parts = ("session" -> session) +: (driver +: executors).map(m => m.name -> m.findings)
      val bodies = parts.map { case (name, findings) => (name +: findings.map("  " + _.line)).mkString("\n") }
      val verdict = if (healthy) "No problems." else s"${problems.size} problem(s); see the lines marked PROBLEM."
      (bodies :+ verdict).mkString("\n")
    }
  }
}
