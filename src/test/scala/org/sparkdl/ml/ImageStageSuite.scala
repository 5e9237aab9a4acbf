package org.sparkdl.ml

import org.apache.spark.SparkException

import org.sparkdl.errors.{ModelNotFoundException, SchemaMismatchException, SparkDLException}
import org.sparkdl.testing.SparkSuite

/** What the stages on images with named models have in common. */
class ImageStageSuite extends SparkSuite {
  import TestStages.AnyStage
  import TestBundles._

  private lazy val modelDir = cache().toString
  private lazy val three = encoded(spark, png(0xff0000), png(0x00ff00), png(0x0000ff))
  private val makers = Seq(() => new DeepImageFeaturizer(), () => new DeepImagePredictor())

  private def ready(make: () => ImageStage): ImageStage =
    make()
      .having("inputCol", "content")
      .having("outputCol", "out")
      .having("modelName", "MobileNetV2")
      .having("modelDir", modelDir)

  private def each(sentence: String)(check: (() => ImageStage) => Unit): Unit = test(sentence)(makers.foreach(check))

  each("columns that hold no images are refused before anything runs") { make =>
    val e = intercept[SchemaMismatchException](ready(make).having("inputCol", "path").transformSchema(three.schema))
    assert(e.getMessage.contains("expected Spark's image struct or encoded bytes (binary), got string"))
  }

  each("an unknown model or scale hint is refused when it is set, with those that exist") { make =>
    def message(change: ImageStage => Any) = intercept[SparkDLException](change(make())).getMessage
    assert(message(_.having("modelName", "ResNet51")).contains("Known names: InceptionV3, Xception, ResNet50"))
    assert(message(_.having("scaleHint", "big")).contains("Expected one of: SCALE_AREA_AVERAGING, SCALE_SMOOTH"))
  }

  each("a model that is not in the cache is an error with the command that makes it") { make =>
    val e = intercept[ModelNotFoundException](ready(make).having("modelName", "ResNet50").transform(three))
    assert(e.getMessage.contains(s"python -m sparkdl export ResNet50 --out $modelDir/ResNet50-imagenet"))
    val unnamed = make().having("inputCol", "content").having("outputCol", "out")
    assert(intercept[SparkDLException](unnamed.transform(three)).getMessage.contains("modelName is not set"))
  }

  each("an error names the file that a row came from") { make =>
    val e = intercept[SparkException](ready(make).transform(encoded(spark, png(0xff0000), null)).collect())
    assert(e.getMessage.contains("Cannot feed '/pictures/1.png'"))
  }

  each("the output column has a name where none is given") { make =>
    val stage = make().having("inputCol", "content").having("modelName", "MobileNetV2").having("modelDir", modelDir)
    assert(stage.transform(three).columns.last == s"${stage.uid}__output")
  }
}
