package org.sparkdl.image

import java.io.File
import java.nio.file.Files

import org.apache.spark.unsafe.Platform

/** Measures decoding and resizing, one thread: `build/sbt "Test/runMain org.sparkdl.image.DecodeSpeed DIR..."`. */
object DecodeSpeed {

  def main(directories: Array[String]): Unit =
    for (directory <- directories; hint <- Seq("SCALE_AREA_AVERAGING", "SCALE_DEFAULT", "SCALE_SMOOTH")) {
      val files = new File(directory).listFiles.sorted.map(f => Files.readAllBytes(f.toPath))
      val target = ImageTarget(224, 224, "RGB", hint)
      println(f"$directory $hint%-22s ${best(files, target) * 1e3}%.3f ms per image")
    }

  private def best(files: Array[Array[Byte]], target: ImageTarget): Double = {
    val slot = Platform.allocateMemory(target.bytes)
    val rounds = math.max(5, 2000 / files.length)
    val seconds = Seq.fill(math.min(rounds, 30)) {
      val start = System.nanoTime()
      files.foreach(f => require(ImageDecoder.decodeInto(f, target, Long.MaxValue, slot) == null))
      (System.nanoTime() - start) / 1e9 / files.length
    }
    Platform.freeMemory(slot)
    seconds.min
  }
}
