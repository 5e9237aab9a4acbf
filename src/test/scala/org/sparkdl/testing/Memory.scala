package org.sparkdl.testing

import java.nio.file.{Files, Paths}

import scala.jdk.CollectionConverters._

/** Memory of this process as Linux counts it. */
object Memory {

  /** Resident megabytes outside the Java heap: the heap may grow up to its limit whenever it likes. */
  def nativeMB: Long = residentMB - (Runtime.getRuntime.totalMemory() >> 20)

  private def residentMB: Long = Files
    .readAllLines(Paths.get("/proc/self/status"))
    .asScala
    .collectFirst { case line if line.startsWith("VmRSS:") => line.split("\\s+")(1).toLong / 1024 }
    .get
}
