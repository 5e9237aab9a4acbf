package org.sparkdl.engine

import java.io.IOException
import java.nio.file.{Files, Path}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._
import scala.util.Random

import org.apache.spark.SparkEnv
import org.apache.spark.sql.sparkdl.blocks.DiskBlocks

import org.sparkdl.errors.SparkDLException
import org.sparkdl.files.{LocalFiles, Sha256}
import org.sparkdl.graph.Groups
import org.sparkdl.testing.SparkSuite

/** Models on their way, with pieces of 1,000 bytes. */
class ShippedFilesSuite extends SparkSuite {
  private val random = new Random(5)
  private lazy val folder = Files.createTempDirectory("shipped")

  private def file(name: String, bytes: Int): (String, Path) = {
    val content = new Array[Byte](bytes)
    random.nextBytes(content)
    name -> Files.write(Files.createTempFile(folder, "file", ""), content)
  }

  private def ship(files: (String, Path)*): ShippedFiles =
    ShippedFiles.of(spark.sparkContext, files, pieceBytes = 1000)

  private def target(): Path = Files.createTempDirectory(folder, "copies")

  private def refuse(directory: Path, cause: IOException) = new SparkDLException(s"$directory: ${cause.getMessage}")

  private def sums(directory: Path): Map[String, String] =
    LocalFiles.list(directory).map(f => directory.relativize(f).toString -> Sha256.of(f)).toMap

  test("files of any size arrive as they are, in their folders") {
    val files = Seq(0, 1, 999, 1000, 1001, 12345).map(n => file(s"variables/of$n", n)) :+ file("graph.pb", 4000)
    val shipped = ship(files: _*)
    val directory = target()
    shipped.writeTo(directory)
    assert(sums(directory) == files.map { case (name, path) => name -> Sha256.of(path) }.toMap)
    assert(shipped.areIn(directory))
  }

  test("pieces are on the disk of each process and in no heap") {
    val before = SparkEnv.get.memoryManager.storageMemoryUsed
    ship(file("graph.pb", 5000000))
    assert(SparkEnv.get.memoryManager.storageMemoryUsed - before < 1000000)
  }

  test("a copy that is broken, cut off or incomplete is found and made again") {
    val files = Seq(file("graph.pb", 2500), file("weights.bin", 10000))
    val shipped = ship(files: _*)
    val copies = new LocalCopies(target())
    def copy() = copies.directory("hash", shipped, refuse)
    val good = sums(copy())
    val written = Files.getLastModifiedTime(copy())
    assert(Files.getLastModifiedTime(copy()) == written, "an undamaged copy stays")
    assert(PosixFilePermissions.toString(Files.getPosixFilePermissions(copy())) == "rwx------")
    val weights = copy().resolve("weights.bin")
    val bytes = Files.readAllBytes(weights)
    Seq[() => Any](
      () => Files.write(weights, bytes.updated(7777, (bytes(7777) + 1).toByte)),
      () => Files.write(weights, bytes.take(9999)),
      () => Files.delete(weights)
    ).foreach { damage =>
      damage()
      assert(!shipped.areIn(weights.getParent))
      assert(sums(copy()) == good)
    }
  }

  test("a copy that was removed leaves nothing and is written again when it is needed") {
    val root = target()
    val (shipped, copies) = (ship(file("graph.pb", 2500)), new LocalCopies(root))
    val good = sums(copies.directory("hash", shipped, refuse))
    copies.remove("hash")
    assert(Files.list(root).count() == 0)
    assert(sums(copies.directory("hash", shipped, refuse)) == good)
  }

  test("a half-written copy is never seen under its name") {
    val root = target()
    val gone = ship(file("graph.pb", 3000))
    DiskBlocks.remove(gone.blocks, 2)
    val e = intercept[SparkDLException](new LocalCopies(root).directory("hash", gone, refuse))
    assert(e.getMessage.contains("Piece 2 of 'graph.pb' is nowhere"))
    assert(LocalFiles.list(root).isEmpty && !Files.exists(root.resolve("hash")))
  }

  test("a piece that arrives damaged is no part of a model") {
    val shipped = ship(file("graph.pb", 3000))
    DiskBlocks.remove(shipped.blocks, 1)
    DiskBlocks.put(shipped.blocks, 1, Array.fill(1000)(1))
    val e = intercept[SparkDLException](shipped.writeTo(target()))
    // The copy of this process is removed, and in local mode nobody else has another.
    assert(e.getMessage.contains("Piece 1 of 'graph.pb'"))
  }

  test("two models arrive at once, each once for all tasks that wait for it") {
    val models = Seq("a", "b").map(name => name -> ship(file("graph.pb", 50000)))
    val copies = new LocalCopies(target())
    val written = models.flatMap(m => Seq.fill(4)(m)).asJava.parallelStream().map[(String, Map[String, String])] {
      case (name, files) => name -> sums(copies.directory(name, files, refuse))
    }
    val perModel = Groups.of(written.iterator().asScala.toVector.distinct)
    assert(perModel.map { case (name, copies) => name -> copies.size } == Map("a" -> 1, "b" -> 1))
    assert(perModel("a") != perModel("b"))
  }

  test("where files cannot be written, the error gives the model, the place and the reason") {
    val root = Files.createTempFile(folder, "not a directory", "")
    val memory = ModelMemory(org.sparkdl.model.MemoryNeed(575000000L), ExecutorMemory.of(spark.sparkContext.getConf))
    def explain(directory: Path, e: IOException) = ShippedModel.cannotWrite("VGG19", memory, directory, e)
    val shipped = ship(file("graph.pb", 10))
    val e = intercept[SparkDLException](new LocalCopies(root).directory("hash", shipped, explain))
    assert(e.getMessage.startsWith(s"Cannot write model 'VGG19' (575 MB) to '$root' on "), e.getMessage)
    assert(e.getMessage.contains("executor driver: ") && e.getMessage.contains("set spark.local.dir"))
    assert(e.getCause.isInstanceOf[IOException])
  }
}
