package org.sparkdl.doctor

import java.net.InetAddress
import java.nio.file.{Files, Paths}

import scala.util.{Properties, Try}

import org.apache.spark.SPARK_VERSION

import org.sparkdl.Version
import org.sparkdl.errors.NativeLibraryException
import org.sparkdl.runtime.{DType, NativeRuntime}

/** What one JVM of the application found about itself and its machine. */
final case class MachineReport(name: String, findings: Seq[Finding])

object MachineReport {

  /** Examines the JVM that this is called in. */
  def ofThisJvm(role: String, runtime: NativeRuntime): MachineReport = MachineReport(
    s"$role on ${Try(InetAddress.getLocalHost.getHostName).getOrElse("unknown host")}",
    Seq(jdk, Finding("Scala", Properties.versionNumberString), jar, library(runtime), cpu, gpu, heap)
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
      val native = s"TensorFlow Java ${Version.tensorflowJava}, classes from ${placeOf(DType.getClass)}"
      Finding("TensorFlow", s"${runtime.version} from ${runtime.location} ($native)")
    } catch {
      case e: NativeLibraryException => Finding("TensorFlow", s"does not load; glibc ${Linux.glibc}", e.getMessage)
    }

  /** The instruction sets that TensorFlow's kernels use. */
  private val instructions = Seq("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")

  private def cpu: Finding = {
    val text = processors(Runtime.getRuntime.availableProcessors(), Linux.cpuFlags)
    if (Linux.cpuFlags.isEmpty || Linux.cpuFlags("avx2")) Finding("CPU", text)
    else Finding("CPU", text, "without AVX2 models run several times slower: use newer machines.")
  }

  /** How many there are, and which instruction sets they have and lack; nothing of these where no flags are known. */
  private[doctor] def processors(count: Int, flags: Set[String]): String = {
    val (has, lacks) = if (flags.isEmpty) (Nil, Nil) else instructions.partition(flags)
    def listed(word: String, sets: Seq[String]) = if (sets.isEmpty) "" else s", $word ${sets.mkString(" ")}"
    s"$count processors${listed("with", has)}${listed("without", lacks)}"
  }

  private def gpu: Finding = {
    val devices = Try(Files.list(Paths.get("/proc/driver/nvidia/gpus")).count()).getOrElse(0L)
    if (devices == 0) Finding("GPU", "none")
    else Finding("GPU", s"$devices NVIDIA device(s), not used: this build of sparkdl runs TensorFlow on the CPU")
  }

  private def heap: Finding =
    Finding("memory", s"heap ${Runtime.getRuntime.maxMemory >> 20} MB, machine ${Linux.memoryMB} MB")
}

/** What Linux says about itself in files; empty on other systems. */
private[doctor] object Linux {
  private def lines(file: String): Seq[String] =
    Try(Files.readString(Paths.get(file)).linesIterator.toVector).getOrElse(Nil)

  lazy val cpuFlags: Set[String] = lines("/proc/cpuinfo")
    .collectFirst { case l if l.startsWith("flags") => l.split("\\s+").toSet }
    .getOrElse(Set.empty)

  def memoryMB: Long = lines("/proc/meminfo")
    .collectFirst { case l if l.startsWith("MemTotal") => l.split("\\s+")(1).toLong / 1024 }
    .getOrElse(0L)

  /** The version of the C library, as `ldd` reports it. */
  def glibc: String = Try {
    import scala.sys.process._
    Seq("ldd", "--version").!!.linesIterator.next().split(" ").last
  }.getOrElse("unknown")
}
