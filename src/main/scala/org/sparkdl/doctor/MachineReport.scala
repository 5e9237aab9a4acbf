package org.sparkdl.doctor

import java.net.InetAddress

import scala.util.{Properties, Try}

import org.apache.spark.SPARK_VERSION

import org.sparkdl.Version
import org.sparkdl.engine.TaskGpu
import org.sparkdl.errors.NativeLibraryException
import org.sparkdl.runtime.{DType, NativeRuntime}

/** What one JVM of the application found about itself and its machine. */
final case class MachineReport(name: String, findings: Seq[Finding])

object MachineReport {

  /** Examines the JVM that this is called in. */
  def ofThisJvm(role: String, runtime: NativeRuntime): MachineReport = MachineReport(
    s"$role on ${Try(InetAddress.getLocalHost.getHostName).getOrElse("unknown host")}",
    Seq(jdk, Finding("Scala", Properties.versionNumberString), jar, library(runtime), cpu, gpu(runtime), heap)
  )

  private def jdk: Finding = {
    val version = Runtime.version().feature()
    val text = s"${System.getProperty("java.version")} (${System.getProperty("java.home")})"
    val tested = Version.javaWith(SPARK_VERSION)
    if (tested.contains(version)) Finding("JDK", text)
    else {
      val javas = Version.either(tested)
      val remedy =
        s"Spark $SPARK_VERSION and sparkdl are tested with JDK $javas: set JAVA_HOME to one on this machine."
      Finding("JDK", text, remedy)
    }
  }

  private def jar: Finding = Finding("sparkdl", s"${Version.current} from ${placeOf(Version.getClass)}")

  private def placeOf(c: Class[_]): String =
    Option(c.getProtectionDomain.getCodeSource).map(_.getLocation.toString).getOrElse("unknown")

  private def library(runtime: NativeRuntime): Finding =
    try {
      val platform = if (runtime.isForGpus) " with GPUs" else ""
      val native = s"TensorFlow Java ${Version.tensorflowJava}$platform, classes from ${placeOf(DType.getClass)}"
      Finding("TensorFlow", s"${runtime.version} from ${runtime.location} ($native)")
    } catch {
      case e: NativeLibraryException =>
        Finding("TensorFlow", s"does not load; ${Machine.current.cLibrary}", e.getMessage)
    }

  private def cpu: Finding = Machine.current.cpu(Runtime.getRuntime.availableProcessors())

  private def gpu(runtime: NativeRuntime): Finding = {
    val cards = s"${NativeRuntime.cards} NVIDIA card(s)"
    Try(runtime.isForGpus).toOption match {
      case Some(true) if runtime.gpus == 0 => Finding("GPU", cards, TaskGpu.noGpu.getMessage)
      case Some(true)                      => Finding("GPU", s"${runtime.gpus} of $cards, used")
      case _ if NativeRuntime.cards == 0   => Finding("GPU", "none")
      case _ => Finding("GPU", s"$cards, not used: for that, add ${TaskGpu.Artefact} to spark.jars.packages")
    }
  }

  private def heap: Finding =
    Finding("memory", s"heap ${Runtime.getRuntime.maxMemory >> 20} MB, machine ${Machine.current.memoryMB} MB")
}
