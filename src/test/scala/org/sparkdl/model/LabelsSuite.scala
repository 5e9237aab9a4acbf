package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.apache.hadoop.conf.Configuration
import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.errors.{ModelNotFoundException, SettingsException}

/** The table of files that python/tests/test_labels.py also reads. */
class LabelsSuite extends AnyFunSuite {
  private val table = Paths.get("src/test/resources/label_files.json")
  private val cases: Seq[JsonNode] = new ObjectMapper().readTree(table.toFile).asScala.toVector
  private val folder: Path = Files.createTempDirectory("sparkdl-labels-")

  private def read(c: JsonNode): Seq[(String, String)] = {
    val bytes = c.get("hex").asText.grouped(2).map(Integer.parseInt(_, 16).toByte).toArray
    Labels.read(Files.write(folder.resolve("labels"), bytes).toString, new Configuration())
  }

  test("ImageNet's classes are there without a file") {
    assert(Labels.imagenet.size == 1000 && Labels.imagenet(281) == ("n02123045" -> "tabby"))
  }

  cases.foreach { c =>
    val name = c.get("name").asText
    if (c.has("labels")) test(s"reads $name") {
      val expected = c.get("labels").asScala.toVector.map(p => p.get(0).asText -> p.get(1).asText)
      assert(read(c) == expected)
    }
    else
      test(s"refuses $name") {
        val start = s"Cannot read the labels file '${folder.resolve("labels")}': "
        assert(intercept[SettingsException](read(c)).getMessage.startsWith(start + c.get("error").asText))
      }
  }

  test("says that a file is missing, and that a folder is no file") {
    Seq(folder.resolve("none"), folder).foreach { path =>
      val e = intercept[ModelNotFoundException](Labels.read(path.toString, new Configuration()))
      assert(e.getMessage == s"There is no labels file '$path'.")
    }
  }
}
