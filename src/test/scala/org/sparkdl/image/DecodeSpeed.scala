package org.sparkdl.image

import java.io.File
import java.lang.management.ManagementFactory
import java.nio.file.Files

import org.apache.spark.unsafe.Platform

import org.sparkdl.testing.TestRuntime.runtime

/** Measures decoding and resizing in CPU time of one thread, which other processes disturb little:
  * `build/sbt "Test/runMain org.sparkdl.image.DecodeSpeed DIR..."`.
  */
object DecodeSpeed {

  def main(directories: Array[String]): Unit =
    for (directory <- directories; hint <- ScaleHint.all.map(_.name)) {
      val files = new File(directory).listFiles.sorted.map(f => Files.readAllBytes(f.toPath))
      val target = ImageTarget(224, 224, "RGB", hint)
      println(f"$directory $hint%-22s ${best(files, target) * 1e3}%.3f ms per image")
    }

  private def best(files: Array[Array[Byte]], target: ImageTarget): Double = {
    val slot = Platform.allocateMemory(target.bytes.toLong)
    val rounds = math.max(5, math.min(30, 2000 / files.length))
    val clock = ManagementFactory.getThreadMXBean
    val seconds = Seq.fill(rounds) {
      val start = clock.getCurrentThreadCpuTime
      files.foreach(f => require(ImageDecoder.decodeInto(runtime, f, target, Long.MaxValue, slot) == null))
      (clock.getCurrentThreadCpuTime - start) / 1e9 / files.length
    }
    Platform.freeMemory(slot)
    seconds.min
  }
}
