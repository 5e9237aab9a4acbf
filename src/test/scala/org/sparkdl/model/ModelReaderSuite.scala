package org.sparkdl.model

import java.nio.file.{Files, Path}
import java.util.zip.{ZipEntry, ZipOutputStream}

import org.apache.spark.sql.functions.{array, col}

import org.sparkdl.Model
import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException}
import org.sparkdl.files.{LocalFiles, Sha256}
import org.sparkdl.testing.{SharedData, SparkSuite, TestModels}

class ModelReaderSuite extends SparkSuite {
  import spark.implicits._

  private def bundle(): Path = {
    val directory = Files.createTempDirectory("bundle").resolve("doubled")
    val model = TestModels.doubled()
    Bundle.write(model.definition.copy(labels = Some(Seq("n1" -> "one", "n2" -> "two"))), directory)
    directory
  }

  private def zip(name: String, entries: (String, Array[Byte])*): Path = {
    val file = Files.createTempDirectory("zip").resolve(name)
    val out = new ZipOutputStream(Files.newOutputStream(file))
    entries.foreach { case (n, bytes) => out.putNextEntry(new ZipEntry(n)); out.write(bytes) }
    out.close()
    file
  }

  private def message[E <: Throwable: reflect.ClassTag](path: Any, options: ReadOptions = ReadOptions()): String =
    intercept[E](Model.load(path.toString, options)).getMessage

  test("a bundle is read back as it was written, also from a zip and through a Hadoop path") {
    val directory = bundle()
    val loaded = Model.load(directory.toString)
    assert(loaded.name == "doubled" && loaded.hash == TestModels.doubled().hash)
    assert(
      loaded.inputs.map(_.toString) == Seq("x: float32 [?]") && loaded.outputs.map(_.toString) == Seq(
        "y: float32 [?]"
      )
    )
    assert(loaded.definition.labels == Some(Seq("n1" -> "one", "n2" -> "two")))
    val files = LocalFiles.list(directory).map(f => s"doubled/${directory.relativize(f)}" -> Files.readAllBytes(f))
    assert(Model.load(zip("doubled.zip", files: _*).toString).hash == loaded.hash)
    assert(Model.load(directory.toUri.toString).hash == loaded.hash)
    assert(spark.range(3).select(loaded(col("id").cast("float"))).as[Float].collect().toSeq == Seq(0f, 2f, 4f))
  }

  test("save writes a bundle, and refuses to overwrite") {
    val target = Files.createTempDirectory("saved").resolve("m")
    TestModels.doubled().save(target.toString)
    assert(Model.load(target.toString).describe().contains("y: float32 [?] (y:0)"))
    assert(intercept[Exception](TestModels.doubled().save(target.toString)).getMessage.contains("exists already"))
  }

  test("a bundle whose graph was changed is refused with both sums") {
    val directory = bundle()
    Files.write(directory.resolve("graph.pb"), Array[Byte](1, 2, 3))
    val text = message[InvalidModelException](directory)
    assert(text.contains("file 'graph.pb' was changed or damaged: expected SHA-256") && text.contains("got 039058c6"))
  }

  test("files that lead out of a bundle or a zip are refused") {
    val directory = bundle()
    val manifest = directory.resolve(Bundle.Manifest)
    Files.writeString(manifest, Files.readString(manifest).replace("\"labels.json\"", "\"../labels.json\""))
    assert(message[InvalidModelException](directory).contains("leads out of the directory"))
    Files.writeString(manifest, Files.readString(manifest).replace("\"../labels.json\"", "\"labels\\u0000.json\""))
    assert(message[InvalidModelException](directory).contains("is not the name of a file"))
    val evil = zip("evil.zip", "model.json" -> "{}".getBytes, "../evil.txt" -> "x".getBytes)
    assert(message[InvalidModelException](evil).contains("entry '../evil.txt' leads out of it"))
  }

  test("a zip that would fill the disk is refused, whatever it says of its sizes") {
    val bomb = zip("bomb.zip", "model.json" -> "{}".getBytes, "graph.pb" -> new Array[Byte](1 << 20))
    val directory = Files.createTempDirectory("unpacked")
    val e = intercept[InvalidModelException](Zips.unpack(bomb, directory, freely = 1000))
    assert(e.getMessage.contains("more than 100 times what the zip has, as no model's do"))
    Zips.unpack(bomb, directory, freely = 2 << 20)
    assert(Files.size(directory.resolve("graph.pb")) == (1 << 20))
  }

  test("a file that the manifest does not list, or that is a link, is refused") {
    def refused(change: Path => Unit): String = {
      val directory = bundle()
      change(directory)
      message[InvalidModelException](directory)
    }
    assert(
      refused(d => Files.writeString(d.resolve("x.txt"), "x")).contains("has no SHA-256 of 'x.txt', which somebody")
    )
    val unlisted = refused { d =>
      val manifest = Files.readString(d.resolve(Bundle.Manifest))
      Files.writeString(
        d.resolve(Bundle.Manifest),
        manifest.replaceAll("""(,\s*)?"labels.json" : "[0-9a-f]{64}"""", "")
      )
    }
    assert(unlisted.contains("has no SHA-256 of 'labels.json'"), unlisted)
    val linked = refused { d =>
      val elsewhere = Files.createTempFile("labels", ".json")
      Files.move(d.resolve("labels.json"), elsewhere, java.nio.file.StandardCopyOption.REPLACE_EXISTING)
      Files.createSymbolicLink(d.resolve("labels.json"), elsewhere)
    }
    assert(linked.contains("'labels.json' is a link; copy the bundle with what its links lead to"), linked)
    val directory = bundle()
    Files.writeString(directory.resolve(".DS_Store"), "of a desktop")
    assert(Model.load(directory.toString).name == "doubled")
  }

  test("damage whose SHA-256 was written anew is refused as what it is") {
    def refused(name: String, content: String): String = {
      val directory = bundle()
      Files.writeString(directory.resolve(name), content)
      val manifest = Files.readString(directory.resolve(Bundle.Manifest))
      val sum = Sha256.of(directory.resolve(name))
      Files.writeString(
        directory.resolve(Bundle.Manifest),
        manifest.replaceAll(s""""$name" : "[0-9a-f]{64}"""", s""""$name" : "$sum"""")
      )
      message[InvalidModelException](directory)
    }
    assert(refused("graph.pb", "no graph").contains("Cannot read the graph '"))
    for (labels <- Seq("[]", "[1, 2]", """[["n1", "one"], ["n2"]]""", """{"0": ["n1", "one"]}""")) {
      val why = refused("labels.json", labels)
      assert(why.contains("labels.json is not a list of [class, description]"), why)
    }
  }

  test("what is not a model says what was expected and what was found") {
    val missing = message[ModelNotFoundException]("/no/such/model")
    assert(missing.contains("There is no model at '/no/such/model'. Expected a bundle"))
    assert(missing.contains("Convert a Keras file to a bundle first: python -m sparkdl bundle FILE --out DIRECTORY"))
    val empty = Files.createTempDirectory("empty")
    Files.writeString(empty.resolve("a.txt"), "x")
    assert(
      message[InvalidModelException](empty).contains("model.json (a bundle) or saved_model.pb, got one with: a.txt")
    )
    assert(message[InvalidModelException](empty.resolve("a.txt")).contains("of no kind that sparkdl knows"))
    val file = TestModels.write("doubled", _.placeholder("x", org.sparkdl.runtime.DType.Float32, Seq(-1L)))
    assert(
      message[InvalidModelException](file, ReadOptions(outputs = Seq("nope")))
        .contains("it has no tensor 'nope'; some that it has: x")
    )
  }

  test("SavedModels of TensorFlow 1 and 2 run, and unknown signatures and tags are listed") {
    val interop = SharedData.directory("interop")
    Seq("saved_model_half_plus_two_cpu", "saved_model_half_plus_two_tf2_cpu").foreach { name =>
      val path = interop.resolve(name).resolve("00000123").toString
      val m = Model.load(path)
      val x = col("id").cast("float")
      // TensorFlow 2's takes exactly one row per run, of scalars; TensorFlow 1's any number of rows of one element.
      val (shape, y) = if (name.contains("tf2")) ("[1]", m(x)) else ("[?, 1]", m(array(x))(0))
      assert(m.inputs.map(_.toString) == Seq(s"x: float32 $shape"), name)
      assert(spark.range(3).select(y).as[Float].collect().toSeq == Seq(2f, 2.5f, 3f), name)
      assert(
        message[InvalidModelException](path, ReadOptions(signature = "nope"))
          .contains("no signature 'nope'; it has: '")
      )
      assert(
        message[InvalidModelException](path, ReadOptions(tags = Seq("gpu")))
          .contains("no graph with the tags 'gpu'; it has: 'serve'")
      )
      val saved = Files.createTempDirectory("saved").resolve("m")
      m.save(saved.toString)
      assert(Model.load(saved.toString).outputs == m.outputs)
    }
  }
}
