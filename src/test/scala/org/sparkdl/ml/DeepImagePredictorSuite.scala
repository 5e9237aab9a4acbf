package org.sparkdl.ml

import java.nio.file.Files

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.Row

import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException, SchemaMismatchException}
import org.sparkdl.testing.SparkSuite

class DeepImagePredictorSuite extends SparkSuite {
  import TestBundles._

  private lazy val modelDir = cache(seed = 3)
  private lazy val images = structs(spark, struct(0x0080ff), struct(0xff2010))

  private def predictor = new DeepImagePredictor()
    .setInputCol("image")
    .setOutputCol("predicted")
    .setModelName("MobileNetV2")
    .setModelDir(modelDir.toString)

  private def predicted(stage: DeepImagePredictor): Seq[Seq[Row]] =
    stage.transform(images).select("predicted").collect().map(_.getSeq[Row](0).toSeq).toSeq

  test("gives the probabilities of all classes as a vector") {
    val p = predictor.transform(images).select("predicted").collect().map(_.getAs[Vector](0))
    val exp = Seq(0, 128, 255).map(v => math.exp(v * 0.01))
    assert(p.head.toArray.zip(exp.map(_ / exp.sum)).forall { case (a, b) => math.abs(a - b) < 1e-6 })
    assert(math.abs(p(1).toArray.sum - 1) < 1e-6)
  }

  test("decodes the best classes, best first, with the labels of the bundle") {
    val rows = predicted(predictor.setDecodePredictions(true))
    assert(rows.map(_.map(_.getString(1))) == Seq(Seq("blue", "green", "red"), Seq("red", "green", "blue")))
    assert(rows.head.map(_.getString(0)) == Seq("c2", "c1", "c0"))
    assert(rows.forall(r => r.map(_.getFloat(2)) == r.map(_.getFloat(2)).sorted.reverse))
    assert(
      predicted(predictor.setDecodePredictions(true).setTopK(1)).map(_.map(_.getString(1))) == Seq(
        Seq("blue"),
        Seq("red")
      )
    )
  }

  test("its type has no nulls inside") {
    val schema = predictor.setDecodePredictions(true).transform(images).schema("predicted").dataType
    assert(schema == TopKReader.dataType)
    assert(schema.simpleString == "array<struct<class:string,description:string,probability:float>>")
  }

  test("takes the labels from a file, in each of its forms, and else gives the number of the class") {
    def labelled(text: String): Seq[(String, String)] = {
      val file = Files.write(Files.createTempFile("labels", ".txt"), text.getBytes("UTF-8"))
      predicted(predictor.setDecodePredictions(true).setLabels(file.toString)).head
        .map(r => r.getString(0) -> r.getString(1))
    }
    val pairs = Seq("w2" -> "bleu", "w1" -> "vert", "w0" -> "rouge")
    assert(labelled("""{"0": ["w0", "rouge"], "1": ["w1", "vert"], "2": ["w2", "bleu"]}""") == pairs)
    assert(labelled("w0\trouge\nw1\tvert\nw2\tbleu\n") == pairs)
    assert(labelled("""["rouge", "vert", "bleu"]""").map(_._1) == Seq("bleu", "vert", "rouge"))
    val e = intercept[SchemaMismatchException](labelled("rouge\nvert"))
    assert(e.getMessage.contains("has 2, 'MobileNetV2' predicts 3 classes"))
    intercept[ModelNotFoundException](predicted(predictor.setDecodePredictions(true).setLabels("/no/such/file")))

    val bare = write(Files.createTempDirectory("sparkdl-").resolve("b"), "MobileNetV2", labels = None)
    val numbers = predicted(predictor.setDecodePredictions(true).setWeights(bare.toString)).head
    assert(numbers.map(_.getString(0)) == Seq("2", "1", "0") && numbers.map(_.getString(1)) == Seq("2", "1", "0"))
  }

  test("labels from a file are saved with the stage") {
    val file = Files.write(Files.createTempFile("labels", ".txt"), "rouge\nvert\nbleu\n".getBytes("UTF-8"))
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    predictor.setDecodePredictions(true).setLabels(file.toString).write.save(path)
    Files.delete(file)
    assert(predicted(DeepImagePredictor.load(path)).head.map(_.getString(1)) == Seq("bleu", "vert", "rouge"))
  }

  test("weights without a classifier are refused, with the outputs that they have") {
    val bare = write(Files.createTempDirectory("sparkdl-").resolve("b"), "MobileNetV2", top = false)
    val e = intercept[InvalidModelException](predictor.setWeights(bare.toString).transform(images))
    assert(e.getMessage.contains("have no classifier on top") && e.getMessage.contains("features_avg"))
  }
}
