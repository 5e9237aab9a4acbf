package org.sparkdl

import java.nio.file.Files

import scala.jdk.CollectionConverters._

import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.Row

import org.sparkdl.ml.{TestBundles, TestStages}
import org.sparkdl.testing.SparkSuite

/** Runs the program in Java, `JavaUsage`. */
class JavaUsageSuite extends SparkSuite {
  private lazy val java = new JavaUsage(spark)
  private lazy val rows = TestStages.vectors(spark, Seq(0, 1))
  private lazy val tripled = TestStages.tripled().toString
  private val expected = Seq(Row(0, Seq(0f, 1.5f, -0f)), Row(1, Seq(3f, 4.5f, -3f)))

  private def pictures = TestBundles.encoded(spark, TestBundles.fourColours.take(2).map(TestBundles.png(_)): _*)

  test("stages on tensors are set up with java.util.Map and arrays") {
    assert(java.tensors(rows, tripled).asScala.toVector == expected)
    assert(java.keras(rows, tripled).asScala.toVector == expected)
  }

  test("stages on images and image files") {
    val bundle = TestBundles.write(Files.createTempDirectory("sparkdl-bundle-").resolve("colours"), "colours")
    val colours = Seq(Row(0, Vectors.dense(255, 0, 0)), Row(1, Vectors.dense(0, 255, 0)))
    assert(java.images(pictures, bundle.toString).asScala.toVector == colours)
    val files = java.files(TestStages.files(spark, Seq(0, 1)), TestStages.averages().toString).asScala.toVector
    assert(files == Seq(Row(0, Vectors.dense(1, -1, -1)), Row(1, Vectors.dense(-1, 1, -1))))
  }

  test("a pipeline of named networks is saved and loaded") {
    val path = Files.createTempDirectory("sparkdl-java-").resolve("pipeline").toString
    val out = java.pipeline(pictures, TestBundles.cache().toString, path).asScala.toVector
    assert(out.map(_.getString(2)) == Seq("red", "green"))
  }

  test("a model is a column and a SQL function") {
    val out = java.model(rows, tripled).asScala.toVector
    assert(out.map(_.getSeq[Float](2)) == Seq(Seq(0f, 4.5f, -0f), Seq(9f, 13.5f, -9f)))
  }

  test("a folder of images is read") {
    val folder = Files.createTempDirectory("sparkdl-pictures-")
    for (i <- 0 to 2) Files.write(folder.resolve(s"$i.png"), TestBundles.png(i))
    assert(java.count(folder.toString) == 3)
  }

  test("errors are caught by their type") {
    assert(java.refused() == "Unknown channelOrder 'HSV'. Expected one of: RGB, BGR, L.")
  }
}
