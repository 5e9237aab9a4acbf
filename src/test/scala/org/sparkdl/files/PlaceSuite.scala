package org.sparkdl.files

import java.net.URI
import java.nio.file.{Files, Paths}

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper
import org.apache.hadoop.fs.{FileSystem, Path => HadoopPath}

import org.apache.spark.sql.functions.col

import org.sparkdl.{Model, Settings}
import org.sparkdl.errors.{ModelNotFoundException, SettingsException, SparkDLException}
import org.sparkdl.ml.KerasTransformer
import org.sparkdl.model.Labels
import org.sparkdl.sql.ModelCatalog
import org.sparkdl.testing.{MiniHdfs, SparkSuite, TestModels}

/** Paths and URIs: the table that python/tests/test_place_rules.py also reads, and a real HDFS. */
class PlaceSuite extends SparkSuite {
  private lazy val hadoop = spark.sparkContext.hadoopConfiguration

  new ObjectMapper().readTree(Paths.get("src/test/resources/places.json").toFile).asScala.foreach { c =>
    val text = c.get("text").asText
    test(s"reads '$text' as what it is") {
      def expected(key: String) = c
        .get(key)
        .asText
        .replace("{folder}", Paths.get("").toAbsolutePath.toString)
        .replace("{home}", System.getProperty("user.home"))
      if (c.has("error"))
        assert(
          intercept[SettingsException](Place.of(text)).getMessage ==
            s"Cannot use '$text' as a path: ${expected("error")}."
        )
      else if (c.has("local")) assert(Place.of(text).target(hadoop).toUri.getPath == expected("local"))
      else assert(Place.of(text).decoded.toString == expected("remote"))
    }
  }

  test("a URI is read and written as it is written where there is such a file, as Hadoop does") {
    val folder = Files.createTempDirectory("sparkdl-places-")
    def target(name: String) = Place.of(s"$folder/$name".replaceFirst("^/", "file:///")).target(hadoop).toUri.getPath
    assert(target("a%20b/m") == s"$folder/a b/m")
    Files.createDirectory(folder.resolve("a%20b"))
    assert(target("a%20b/m") == s"$folder/a%20b/m", "its folder is there as it is written, the decoded one is not")
    Files.createDirectory(folder.resolve("a b"))
    assert(target("a%20b/m") == s"$folder/a b/m")
    Files.createFile(folder.resolve("a%20b").resolve("m"))
    assert(target("a%20b/m") == s"$folder/a%20b/m")
  }

  test("a directory that can only be local may be a URI, and refuses other file systems by name") {
    def native(text: String) = new Settings.Reader(Map(Settings.nativeDir.key -> text).get).nativeDir
    assert(native("") == "" && native("file:///a%20b") == "/a b" && native("/a%20b") == "/a%20b")
    val e = intercept[SettingsException](native("hdfs://host/native"))
    assert(
      e.getMessage.startsWith("Setting spark.sparkdl.native.dir can only be a directory of the machine's own file")
    )
  }

  test("what cannot be reached is named") {
    def message(text: String) = intercept[SettingsException](Model.load(text)).getMessage
    assert(message("nosuch://host/m").startsWith("Cannot reach 'nosuch://host/m': No FileSystem for scheme"))
    assert(message("hdfs:/m").contains("if it went through pathlib.Path, that removed a slash"))
  }

  test("models, catalogs, labels and what is saved are on HDFS as they are on this machine") {
    MiniHdfs.withRoot { root =>
      val fs = FileSystem.get(new URI(root), hadoop)
      val bundle = s"$root/with%20space/doubled"
      TestModels.doubled().save(bundle)
      assert(fs.exists(new HadoopPath(root, "with space/doubled/model.json")))
      assert(fs.listStatus(new HadoopPath(root, "with space")).length == 1, "nothing is left of the writing")
      assert(intercept[SparkDLException](TestModels.doubled().save(bundle)).getMessage.contains("exists already"))
      assert(Model.load(bundle).hash == TestModels.doubled().hash)

      val df = spark.range(2).select(col("id").cast("float") as "x")
      val stage = new KerasTransformer().setInputCol("x").setOutputCol("y").setModelFile(bundle)
      assert(stage.transform(df).orderBy("x").collect().map(_.getFloat(1)).toSeq == Seq(0f, 2f))

      val catalog = new ModelCatalog()
      catalog.initialize("m", options("path" -> s"$root/with%20space"))
      assert(catalog.listFunctions(Array.empty).map(_.name).toSeq == Seq("doubled"))

      val labels = new HadoopPath(root, "labels.txt")
      val out = fs.create(labels)
      out.write("cat\r\ndog".getBytes("UTF-8"))
      out.close()
      assert(Labels.read(s"$root/labels.txt", hadoop).map(_._1) == Seq("cat", "dog"))

      val missing = intercept[ModelNotFoundException](Model.load(s"$root/none"))
      assert(missing.getMessage.startsWith(s"There is no model at '$root/none'."))
    }
  }

  test("a file on HDFS is copied once, and again when it has changed, also within a folder") {
    MiniHdfs.withRoot { root =>
      val fs = FileSystem.get(new URI(root), hadoop)
      val folder = new HadoopPath(root, "model/variables")
      def write(text: String) = {
        val out = fs.create(new HadoopPath(folder, "data"), true)
        out.write(text.getBytes("UTF-8"))
        out.close()
      }
      def fetched = RemoteFiles.fetch(new HadoopPath(root, "model"), hadoop)
      def textIn(model: HeldFolder) = model.using(m => Files.readString(m.resolve("variables/data")))
      write("one")
      val first = fetched
      assert((fetched eq first) && textIn(first) == "one")
      write("three")
      assert(textIn(fetched) == "three" && textIn(first) == "one")
    }
  }

  private def options(pairs: (String, String)*) =
    new org.apache.spark.sql.util.CaseInsensitiveStringMap(pairs.toMap.asJava)
}
