package org.sparkdl.image

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import org.apache.spark.unsafe.Platform

import org.sparkdl.testing.{SharedData, SparkSuite}
import org.sparkdl.testing.TestRuntime.runtime

/** The files of shared/data/robustness against the table in docs/images.md. */
class RobustnessSuite extends SparkSuite {
  import TestImages._

  private val maxPixels = 89478485L
  private def data: Path = SharedData.directory("robustness")

  private def files: Seq[Path] =
    Files.walk(data).iterator.asScala.filter(Files.isRegularFile(_)).toVector.sortBy(_.toString)

  /** From "folder/name" to the result in the table: "height x width x channels", or the reason. */
  private lazy val documented: Map[String, String] = {
    val row = """\| `([^`]+/[^`]+)` \| [^|]+ \| (.+) \|""".r
    Files.readAllLines(Paths.get("docs/images.md")).asScala.collect { case row(name, answer) => name -> answer }.toMap
  }

  private def name(file: Path) = data.relativize(file).toString

  private def answer(decoded: Either[String, DecodedImage]): String =
    decoded.fold(reason => reason, i => s"${i.height} x ${i.width} x ${i.nChannels}")

  private def good(i: Int) = encode(picture(9 + i % 5, 8, i), "png")

  test("every file has the result that docs/images.md documents") {
    val answers = files.map(f => name(f) -> answer(ImageDecoder.decode(runtime, Files.readAllBytes(f), maxPixels)))
    val wrong = answers.filter { case (file, is) => !documented.get(file).contains(is) }
    assert(wrong.isEmpty, wrong.map { case (f, is) => s"| `$f` | ? | $is |" }.mkString("\n", "\n", "\n"))
    assert((documented.keySet -- answers.map(_._1)).isEmpty)
  }

  test("pictures that are stored in different orientations come out upright, all alike") {
    val target = ImageTarget(48, 64)
    for (series <- Seq("Landscape_", "hopper_orientation_")) {
      val upright = files.filter(_.getFileName.toString.startsWith(series)).map { file =>
        decodeTo(Files.readAllBytes(file), target).fold(fail(_), identity)
      }
      assert(upright.size >= 4)
      for (other <- upright.tail) {
        val differences = other.indices.map(i => math.abs((other(i) & 0xff) - (upright.head(i) & 0xff)))
        assert(differences.sum.toDouble / differences.size < 12)
      }
    }
  }

  test("between good images in one batch, each leaves the slots of the others alone") {
    val target = ImageTarget(16, 12)
    val batch = files.map(Files.readAllBytes).zipWithIndex.flatMap { case (bytes, i) => Seq(good(i), bytes) }
    val slots = Platform.allocateMemory(batch.size.toLong * target.bytes)
    try {
      val reasons = batch.zipWithIndex.map { case (bytes, i) =>
        ImageDecoder.decodeInto(runtime, bytes, target, maxPixels, slots + i.toLong * target.bytes)
      }
      for ((bytes, i) <- batch.zipWithIndex) decodeTo(bytes, target, maxPixels) match {
        case Left(reason)  => assert(reasons(i) == reason)
        case Right(pixels) => assert(reasons(i) == null && slot(slots, i, target).sameElements(pixels), s"slot $i")
      }
      assert(reasons.count(_ != null) == documented.values.count(!_.matches("\\d+ x \\d+ x \\d")))
    } finally Platform.freeMemory(slots)
  }

  private def slot(slots: Long, i: Int, target: ImageTarget): Array[Byte] = {
    val pixels = new Array[Byte](target.bytes)
    Platform.copyMemory(null, slots + i.toLong * pixels.length, pixels, Platform.BYTE_ARRAY_OFFSET, pixels.length)
    pixels
  }

  test("between good images in one folder, each row has its own pixels or its own reason") {
    val folder = Files.createTempDirectory("robustness")
    val expected = files.zipWithIndex.flatMap { case (file, i) =>
      Files.write(folder.resolve(f"$i%02d_good.png"), good(i))
      Files.copy(file, folder.resolve(f"$i%02d_x_${file.getFileName}"))
      Seq(f"$i%02d_good.png" -> s"${9 + i % 5} x 8 x 3", f"$i%02d_x_${file.getFileName}" -> documented(name(file)))
    }
    val rows = ImageSchema.readImages(spark, Seq(folder.toString), false, 3, false, 1.0, 0L).collect()
    val answers = rows.map { row =>
      val image = row.getStruct(0)
      val file = image.getString(0).split('/').last
      if (file.endsWith("_good.png"))
        assert(
          image.getAs[Array[Byte]](5).sameElements(bgr(picture(9 + file.take(2).toInt % 5, 8, file.take(2).toInt)))
        )
      file -> Option(row.getString(1)).getOrElse(s"${image(1)} x ${image(2)} x ${image(3)}")
    }
    assert(answers.toMap == expected.toMap && rows.length == expected.size)
  }
}
