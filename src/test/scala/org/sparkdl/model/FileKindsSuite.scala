package org.sparkdl.model

import java.nio.charset.StandardCharsets.ISO_8859_1
import java.nio.file.{Files, Path}
import java.util.zip.{ZipEntry, ZipOutputStream}

import org.apache.spark.sql.functions.col
import org.tensorflow.proto.GraphDef

import com.google.protobuf.TextFormat

import org.sparkdl.Model
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.testing.{SparkSuite, TestModels}

class FileKindsSuite extends SparkSuite {
  import spark.implicits._

  private def file(name: String, bytes: Array[Byte]): Path =
    Files.write(Files.createTempDirectory("kind").resolve(name), bytes)

  private def file(name: String, latin1: String): Path = file(name, latin1.getBytes(ISO_8859_1))

  private def zip(name: String, entries: String*): Path = {
    val path = file(name, "")
    val out = new ZipOutputStream(Files.newOutputStream(path))
    entries.foreach { n => out.putNextEntry(new ZipEntry(n)); out.write(1) }
    out.close()
    path
  }

  private def message(path: Path): String = {
    spark.conf.get("spark.app.name") // loading needs a session
    intercept[InvalidModelException](Model.load(path.toString)).getMessage
  }

  test("what is not a model says what it is, whatever its name") {
    val half = Files.readAllBytes(zip("whole.zip", "config.json")).dropRight(10)
    Seq(
      file("model.pb", "") -> "an empty file",
      file("model.h5", "\u0080\u0004\u0095x") -> "a Python pickle",
      file("model.pb", "\u001c\u0000\u0000\u0000TFL3abc") -> "a TensorFlow Lite model",
      file("model.pb", "\b\u0007\u0012\u0007pytorch") -> "an ONNX model",
      file("model.keras", "version https://git-lfs.github.com/spec/v1") -> "git lfs pull",
      file("model.keras", half) -> "a truncated zip",
      zip("model.pb", "archive/data.pkl", "archive/version") -> "a PyTorch file",
      file("model", "<!DOCTYPE html><html>") -> "a web page",
      file("model", "{\"class_name\": \"Sequential\"}") -> "the architecture of a model"
    ).foreach { case (path, what) => assert(message(path).contains(what), path) }
  }

  test("a file of Keras with any name is left to Python") {
    Seq(file("model.pb", "\u0089HDF\r\n\u001a\n"), zip("model", "metadata.json", "config.json", "model.weights.h5"))
      .foreach(path => assert(message(path).contains("python -m sparkdl bundle"), path))
  }

  test("a frozen graph is read with any name, and as text") {
    val graph = TestModels.doubled().definition.graph.path
    val bytes = Files.readAllBytes(if (Files.isDirectory(graph)) graph.resolve("graph.pb") else graph)
    val text = TextFormat.printer().printToString(GraphDef.parseFrom(bytes))
    Seq(file("frozen", bytes), file("frozen.h5", bytes), file("frozen.pbtxt", s"# by hand\n$text")).foreach { path =>
      val model = Model.load(path.toString)
      assert(spark.range(2).select(model(col("id").cast("float"))).as[Float].collect().toSeq == Seq(0f, 2f), path)
    }
  }

  test("a text that is not a complete graph says where it ends") {
    assert(message(file("graph.pbtxt", "node { name: \"x\" ")).contains("its text is not a GraphDef"))
  }

  test("a folder without a model says what it is") {
    val folder = Files.createTempDirectory("versions")
    Files.createDirectories(folder.resolve("1"))
    Files.write(folder.resolve("1").resolve("saved_model.pb"), Array[Byte](1))
    assert(message(folder).contains("a folder of SavedModels"))
  }
}
