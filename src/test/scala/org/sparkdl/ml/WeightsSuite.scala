package org.sparkdl.ml

import java.nio.file.Files

import org.apache.spark.ml.linalg.Vector

import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException, SparkDLException}
import org.sparkdl.files.Sha256
import org.sparkdl.model.NamedModels
import org.sparkdl.testing.SparkSuite

/** Where a stage finds its model. */
class WeightsSuite extends SparkSuite {
  import TestBundles._

  private lazy val images = structs(spark, struct(0x0080ff))
  private def stage = new DeepImageFeaturizer().setInputCol("image").setOutputCol("features")

  test("a weights file is known by its hash") {
    val file = Files.write(Files.createTempFile("weights", ".h5"), Array[Byte](1, 2, 3))
    val key = Sha256.of(file).take(16)
    val named = stage.setModelName("ResNet50").setWeights(file.toString)
    assert(named.setModelDir(cache("ResNet50", key).toString).transform(images).count() == 1)
    val e = intercept[ModelNotFoundException](named.setModelDir(cache("VGG16", key).toString).transform(images))
    assert(e.getMessage.contains(s"export ResNet50 --weights $file --out"), e.getMessage)
  }

  test("a bundle is taken as it is, if it is of the model that is named") {
    val bundle = cache().resolve("MobileNetV2-imagenet").toString
    assert(stage.setWeights(bundle).transform(images).count() == 1)
    assert(stage.setWeights(s"file:$bundle").setModelName("MobileNetV2").transform(images).count() == 1)
    val e = intercept[InvalidModelException](stage.setWeights(bundle).setModelName("VGG16").transform(images))
    assert(e.getMessage.contains("is a bundle of 'MobileNetV2', but modelName is 'VGG16'"))
  }

  test("another size of images is a bundle of its own, and a bundle has one size") {
    val directory = Files.createTempDirectory("sparkdl-cache-")
    write(directory.resolve(s"MobileNetV2-${Height}x$Width-imagenet"), "MobileNetV2")
    val sized = stage.setModelName("MobileNetV2").setInputSize(Array(Height, Width))
    assert(sized.setModelDir(directory.toString).transform(images).count() == 1)
    val missing = intercept[ModelNotFoundException](sized.setInputSize(Array(150, 197)).transform(images))
    assert(missing.getMessage.contains("export MobileNetV2 --size 150 197 --out"), missing.getMessage)
    val bundle = directory.resolve(s"MobileNetV2-${Height}x$Width-imagenet").toString
    val wrong = intercept[InvalidModelException](sized.setWeights(bundle).transform(images))
    assert(wrong.getMessage.startsWith("inputSize is 150 x 197, but the bundle of 'MobileNetV2"), wrong.getMessage)
    intercept[SparkDLException](stage.setInputSize(Array(150)))
  }

  test("weights that do not exist, and a damaged bundle, are named") {
    val missing =
      intercept[ModelNotFoundException](stage.setModelName("VGG16").setWeights("/no/w.h5").transform(images))
    assert(missing.getMessage.contains("There is no weights file '/no/w.h5' for VGG16."))
    val bundle = cache(seed = 9).resolve("MobileNetV2-imagenet")
    Files.write(bundle.resolve("graph.pb"), Array[Byte](0))
    val e = intercept[InvalidModelException](stage.setWeights(bundle.toString).transform(images))
    assert(e.getMessage.contains("file 'graph.pb' was changed or damaged: expected SHA-256"))
  }

  test("the table of models is that of Python") {
    assert(NamedModels.all.map(_.name).take(4) == Seq("InceptionV3", "Xception", "ResNet50", "ResNet101"))
    assert(NamedModels.fromName("ResNet50").featureMap == Seq(7, 7, 2048))
  }

  test("networks that come with sparkdl need no cache") {
    val shipped = NamedModels.all.filter(_.resource.isDefined)
    assert(shipped.map(_.name) == Seq("TinyNet"))
    shipped.foreach { m =>
      val features = stage.setModelName(m.name).transform(images).select("features").head()
      assert(features.getAs[Vector](0).size == m.features)
      val predictor = new DeepImagePredictor().setInputCol("image").setOutputCol("p").setModelName(m.name)
      assert(predictor.transform(images).select("p").head().getAs[Vector](0).size == m.classes)
    }
  }
}
