package org.sparkdl.doctor

import java.nio.file.{Files, Paths}

import scala.sys.process._
import scala.util.Try

/** What a machine says of itself, each system in its own way.
  *
  * @param system,
  *   processor as Java calls them: "Linux" or "Mac OS X", "amd64" or "aarch64"
  * @param read
  *   the lines of a file; none if it cannot be read
  * @param say
  *   the lines that a program prints; none if it cannot be run
  */
final private[doctor] class Machine(
    system: String,
    processor: String,
    read: String => Seq[String],
    say: Seq[String] => Seq[String]
) {
  private val isMac = system.startsWith("Mac")

  /** The instruction sets that TensorFlow's kernels use; empty where the machine does not name them. */
  private val wanted = processor match {
    case "amd64" | "x86_64" => Seq("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
    case _                  => Seq("asimd", "asimddp", "sve", "i8mm", "bf16")
  }

  private lazy val instructions: Set[String] = read("/proc/cpuinfo")
    .collectFirst { case line if line.startsWith("flags") || line.startsWith("Features") => line.split("\\s+").toSet }
    .getOrElse(Set.empty)

  def cpu(cores: Int): Finding =
    if (instructions.isEmpty) Finding("CPU", s"$cores processors ($processor)")
    else {
      val (has, lacks) = wanted.partition(instructions)
      def listed(word: String, sets: Seq[String]) = if (sets.isEmpty) "" else s", $word ${sets.mkString(" ")}"
      val text = s"$cores processors ($processor)${listed("with", has)}${listed("without", lacks)}"
      if (!wanted.contains("avx2") || has.contains("avx2")) Finding("CPU", text)
      else Finding("CPU", text, "without AVX2 models run several times slower: use newer machines.")
    }

  /** 0 if nobody knows. */
  def memoryMB: Long =
    if (isMac)
      say(Seq("sysctl", "-n", "hw.memsize"))
        .flatMap(bytes => Try(bytes.trim.toLong).toOption)
        .headOption
        .fold(0L)(_ >> 20)
    else
      read("/proc/meminfo")
        .collectFirst { case line if line.startsWith("MemTotal") => line.split("\\s+")(1).toLong / 1024 }
        .getOrElse(0L)

  /** What TensorFlow's library depends on of the system, with its version. */
  def cLibrary: String =
    if (isMac) s"macOS ${say(Seq("sw_vers", "-productVersion")).headOption.getOrElse("unknown")}"
    else s"glibc ${say(Seq("ldd", "--version")).headOption.fold("unknown")(_.split(" ").last)}"
}

private[doctor] object Machine {
  val current = new Machine(System.getProperty("os.name"), System.getProperty("os.arch"), lines, printed)

  private def lines(file: String): Seq[String] =
    Try(Files.readString(Paths.get(file)).linesIterator.toVector).getOrElse(Nil)

  private def printed(command: Seq[String]): Seq[String] = Try(command.!!.linesIterator.toVector).getOrElse(Nil)
}
