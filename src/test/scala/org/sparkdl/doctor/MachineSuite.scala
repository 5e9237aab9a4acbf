package org.sparkdl.doctor

import org.scalatest.funsuite.AnyFunSuite

class MachineSuite extends AnyFunSuite {
  private def machine(
      system: String,
      processor: String,
      files: Map[String, String],
      programs: Map[String, String] = Map.empty
  ) =
    new Machine(
      system,
      processor,
      path => files.get(path).toSeq.flatMap(_.linesIterator),
      command => programs.get(command.mkString(" ")).toSeq.flatMap(_.linesIterator)
    )

  test("a PC with Linux says what it has in files") {
    val files =
      Map("/proc/cpuinfo" -> "model name : x\nflags : fpu avx2 fma", "/proc/meminfo" -> "MemTotal:  2048000 kB")
    val pc = machine("Linux", "amd64", files, Map("ldd --version" -> "ldd (Debian GLIBC 2.36-9) 2.36\nCopyright"))
    val text = "CPU: 8 processors (amd64), with avx2 fma, without avx512f avx512_vnni avx512_bf16 amx_bf16"
    assert(pc.cpu(8).line == text && pc.memoryMB == 2000 && pc.cLibrary == "glibc 2.36")
    val old = machine("Linux", "amd64", Map("/proc/cpuinfo" -> "flags : fpu avx"))
    assert(old.cpu(1).line.endsWith("PROBLEM: without AVX2 models run several times slower: use newer machines."))
  }

  test("processors that have all instruction sets, or none, are described without empty lists") {
    def text(flags: String) = machine("Linux", "amd64", Map("/proc/cpuinfo" -> s"flags : $flags")).cpu(4).value
    val all = "avx2 fma avx512f avx512_vnni avx512_bf16 amx_bf16"
    assert(text(all) == s"4 processors (amd64), with $all")
    assert(text("fpu") == s"4 processors (amd64), without $all")
  }

  test("an ARM machine with Linux is not asked for the instructions of a PC") {
    val arm = machine("Linux", "aarch64", Map("/proc/cpuinfo" -> "Features\t: fp asimd asimddp bf16"))
    assert(arm.cpu(4).ok && arm.cpu(4).value == "4 processors (aarch64), with asimd asimddp bf16, without sve i8mm")
  }

  test("a Mac is asked through its programs") {
    val programs = Map("sysctl -n hw.memsize" -> "17179869184", "sw_vers -productVersion" -> "14.5")
    val mac = machine("Mac OS X", "aarch64", Map.empty, programs)
    assert(mac.memoryMB == 16384 && mac.cLibrary == "macOS 14.5")
    assert(mac.cpu(10).ok && mac.cpu(10).value == "10 processors (aarch64)")
  }

  test("a machine that says nothing is no problem") {
    val silent = machine("Linux", "amd64", Map.empty)
    assert(silent.cpu(2).ok && silent.memoryMB == 0 && silent.cLibrary == "glibc unknown")
  }
}
