package org.sparkdl.ml

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.types.{ArrayType, FloatType}

import org.sparkdl.Model
import org.sparkdl.engine.Engine
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.image.TestImages
import org.sparkdl.testing.SparkSuite

class DeepImageFeaturizerSuite extends SparkSuite {
  import TestBundles._

  private lazy val modelDir = cache(seed = 2)

  private def featurizer = new DeepImageFeaturizer()
    .setInputCol("image")
    .setOutputCol("features")
    .setModelName("MobileNetV2")
    .setModelDir(modelDir.toString)

  private def features(df: DataFrame): Seq[Vector] = df.select("features").collect().map(_.getAs[Vector](0)).toSeq

  private lazy val images = structs(spark, struct(0xff8000), struct(0x102030))

  test("image structs and encoded bytes of the same pixels have the same features") {
    val expected = Seq(Vectors.dense(255, 128, 0), Vectors.dense(16, 32, 48))
    assert(features(featurizer.transform(images)) == expected)
    val bytes = encoded(spark, png(0xff8000), png(0x102030))
    assert(features(featurizer.setInputCol("content").transform(bytes)) == expected)
  }

  test("pooling chooses the output") {
    val df = featurizer.setPooling("max").transform(images)
    assert(features(df).head == Vectors.dense(255, 128, 0))
    val none = features(featurizer.setPooling("none").transform(images)).head
    assert(none.size == Height * Width * 3 && none.toArray.take(6).toSeq == Seq(255, 128, 0, 255, 128, 0))
  }

  test("unusual images and files have their documented results, in their places") {
    val jpeg = TestImages.jpeg(40, 30)
    val good = png(0x102030)
    val rows = Seq[(Array[Byte], String)](
      good -> null,
      (null, "the value for input 'images' is null"),
      good -> null,
      Array.emptyByteArray -> "empty",
      jpeg.take(jpeg.length / 2) -> "",
      "this is text".getBytes -> "the bytes are text",
      good -> null
    )
    val df = encoded(spark, rows.map(_._1): _*)
    val stage = featurizer.setInputCol("content").setHandleInvalid("keep").setErrorCol("why").setBatchSize(2)
    val out = stage.transform(df).select("id", "features", "why").collect().toSeq
    assert(out.map(_.getInt(0)) == rows.indices)
    out.zip(rows).foreach { case (Row(id, f, why), (_, expected)) =>
      if (expected == null) assert(f == Vectors.dense(16, 32, 48) && why == null, s"row $id")
      else assert(f == null && why.toString.contains(expected), s"row $id: $why")
    }
    assert(featurizer.setInputCol("content").setHandleInvalid("skip").transform(df).count() == 3)
  }

  test("structs of other modes and with wrong sizes are invalid, grey and alpha are converted") {
    val grey = Row("grey", 2, 2, 1, 0, Array.fill[Byte](4)(9))
    val bgra = Row("bgra", 2, 2, 4, 24, Array.fill[Byte](16)(9))
    val float = Row("float", 2, 2, 3, 21, new Array[Byte](48))
    val short = Row("short", 2, 2, 3, 16, new Array[Byte](5))
    val twoChannels = Row("two", 2, 2, 2, 8, new Array[Byte](8))
    val failed = Row("failed", -1, -1, -1, -1, Array.emptyByteArray)
    val df = structs(spark, grey, float, bgra, short, twoChannels, failed, null)
    val out = featurizer.setHandleInvalid("keep").setErrorCol("why").transform(df).select("features", "why").collect()
    assert(out.map(_.isNullAt(0)).toSeq == Seq(false, true, false, true, true, true, true))
    assert(out.map(_.isNullAt(1)).toSeq == out.map(!_.isNullAt(0)).toSeq)
    assert(out(0).getAs[Vector](0) == Vectors.dense(9, 9, 9) && out(2).getAs[Vector](0) == Vectors.dense(9, 9, 9))
    val e = intercept[SparkException](featurizer.transform(structs(spark, short)).collect())
    assert(e.getMessage.contains("Cannot feed 'short'"), e.getMessage)
  }

  test("images that claim more pixels than image.maxPixels are invalid") {
    spark.conf.set("spark.sparkdl.image.maxPixels", "100")
    try {
      val df = encoded(spark, png(0, 10, 10), png(0, 10, 11))
      val out = featurizer.setInputCol("content").setHandleInvalid("keep").setErrorCol("why").transform(df).collect()
      assert(out.map(_.getAs[Any]("features") == null).toSeq == Seq(false, true))
    } finally spark.conf.unset("spark.sparkdl.image.maxPixels")
  }

  test("two columns of the same model, features and predictions, load it once") {
    Engine.closeUnused()
    val predictor = new DeepImagePredictor()
      .setInputCol("image")
      .setOutputCol("p")
      .setModelName("MobileNetV2")
      .setModelDir(modelDir.toString)
    val df = predictor.transform(featurizer.transform(images))
    assert(df.select("features", "p").collect().length == 2)
    val hash = Model.load(modelDir.resolve("MobileNetV2-imagenet").toString).hash
    assert(Engine.loaded.count(_ == hash) == 1)
  }

  test("the session's settings hold where a param is unset, and a param takes precedence") {
    spark.conf.set("spark.sparkdl.models.dir", modelDir.toString)
    try {
      val stage = featurizer
      stage.clear(stage.modelDir)
      assert(features(stage.transform(images)).size == 2)
    } finally spark.conf.unset("spark.sparkdl.models.dir")
  }

  test("features and probabilities are arrays of float where asked, with the numbers of the vectors") {
    val arrays = featurizer.setOutputMode("array")
    val out = arrays.transform(images)
    assert(out.schema("features").dataType == ArrayType(FloatType, containsNull = false))
    assert(arrays.transformSchema(images.schema)("features").dataType == out.schema("features").dataType)
    val found = out.select("features").collect().map(_.getSeq[Float](0).map(_.toDouble).toSeq).toSeq
    assert(found == features(featurizer.transform(images)).map(_.toArray.toSeq))
    val predictor = new DeepImagePredictor()
      .setInputCol("image")
      .setOutputCol("p")
      .setModelName("MobileNetV2")
      .setModelDir(modelDir.toString)
    val best = predictor.setOutputMode("array").transform(images).selectExpr("array_position(p, array_max(p))")
    val expected = predictor.setOutputMode("vector").transform(images).select("p").collect()
    assert(best.collect().map(_.getLong(0) - 1).toSeq == expected.map(_.getAs[Vector](0).argmax.toLong).toSeq)
  }

  test("a column with a dot in its name is taken as it is") {
    val odd = images.withColumnRenamed("image", "an.image")
    assert(features(featurizer.setInputCol("an.image").transform(odd)).size == 2)
  }

  test("a bundle that is not an image model is refused") {
    val target = java.nio.file.Files.createTempDirectory("sparkdl-").resolve("numbers")
    org.sparkdl.testing.TestModels.doubled().save(target.toString)
    val stage = new DeepImageFeaturizer().setInputCol("image").setOutputCol("features").setWeights(target.toString)
    val e = intercept[InvalidModelException](stage.transform(images))
    assert(e.getMessage.contains("takes no images"))
  }
}
