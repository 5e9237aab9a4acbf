package org.sparkdl.ml

import java.nio.file.Files

import org.apache.spark.SparkException
import org.apache.spark.ml.Pipeline
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.Row
import org.apache.spark.sql.functions.{lit, when}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Keras models on image files; files themselves are in ImageFeedSuite. */
class KerasImageFileTransformerSuite extends SparkSuite {
  import TestBundles._

  private lazy val averages = TestStages.averages().toString
  private lazy val files = TestStages.files(spark, Seq(0, 1, 2))

  private def stage(model: String = averages): KerasImageFileTransformer =
    new KerasImageFileTransformer().setInputCol("content").setOutputCol("out").setModelFile(model)

  private def vectors(df: org.apache.spark.sql.DataFrame): Seq[Seq[Double]] =
    df.select("out").collect().toSeq.map(r => if (r.isNullAt(0)) null else r.getAs[Vector](0).toArray.toSeq)

  test("files are read, resized to the model's size and fed in RGB order") {
    assert(vectors(stage().transform(files)) == Seq(Seq(255.0, 0, 0), Seq(0.0, 255, 0), Seq(0.0, 0, 255)))
  }

  test("preprocessing is done on the way; caffe turns the channels to BGR") {
    def first(mode: String) = vectors(stage().setPreprocessing(mode).transform(files)).head
    def close(a: Seq[Double], b: Double*) = assert(a.zip(b).forall { case (x, y) => math.abs(x - y) < 1e-4 }, a)
    close(first("tf"), 1, -1, -1)
    close(first("caffe"), -103.939, -116.779, 255 - 123.68)
    close(first("torch"), (1 - 0.485) / 0.229, -0.456 / 0.224, -0.406 / 0.225)
  }

  private def anySize(channels: Long) = TestModels
    .write(
      "anySize",
      _.placeholder("x", DType.Float32, Seq(-1L, -1L, -1L, channels))
        .node("Identity", "y", Seq("x"), Map("T" -> DType.Float32))
    )
    .toString

  test("targetSize is for models that take images of any size; without it images keep theirs") {
    def length(s: KerasImageFileTransformer) = vectors(s.transform(files)).map(_.size)
    assert(length(stage(anySize(3))) == Seq.fill(3)(16 * 12 * 3))
    assert(length(stage(anySize(3)).setTargetSize(Array(4, 5))) == Seq.fill(3)(4 * 5 * 3))
    assert(length(stage(anySize(1)).setTargetSize(Array(4, 5))) == Seq.fill(3)(4 * 5))
    val e = intercept[SchemaMismatchException](stage().setTargetSize(Array(4, 5)).transformSchema(files.schema))
    assert(e.getMessage.contains("images are resized to 4x5 (height x width), which is not the input's size"))
  }

  test("values that are not allowed are refused when they are set") {
    def message(change: KerasImageFileTransformer => Any) = intercept[SparkDLException](change(stage())).getMessage
    assert(
      message(_.setTargetSize(Array(4))) == "targetSize must be height and width in pixels, each at least 1, got [4]."
    )
    assert(message(_.setTargetSize(Array(4, 0))).endsWith("got [4, 0]."))
    assert(message(_.setPreprocessing("vgg")).contains("Expected one of: none, tf, caffe, torch."))
    assert(message(_.setImageLoader("f")).contains("it is set in Python"))
  }

  test("a model with several outputs is refused with what to do") {
    val bundle = write(Files.createTempDirectory("sparkdl-bundle-").resolve("colours"), "colours").toString
    val e = intercept[SchemaMismatchException](stage(bundle).transformSchema(files.schema))
    assert(e.getMessage.contains("with one output, but 'colours' has 6") && e.getMessage.contains("outputs="))
  }

  test("a missing file is an invalid row, and the reason names it") {
    val none = files.withColumn("content", when(files("id") === 1, lit("/no/such.png")).otherwise(files("content")))
    val e = intercept[SparkException](stage().transform(none).collect())
    assert(e.getMessage.contains("Cannot feed '/no/such.png' (partition 0)"))
    assert(e.getMessage.contains("there is no file '/no/such.png'"))
    val kept = stage().setHandleInvalid("keep").setErrorCol("why").transform(none).select("id", "why").collect()
    assert(kept.toSeq == Seq(Row(0, null), Row(1, "there is no file '/no/such.png'"), Row(2, null)))
  }

  test("a stage with a loader is loaded, and says that it works in Python only and what to do") {
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("pipeline").toString
    new Pipeline().setStages(Array(stage().setImageLoader("import:pictures:load"))).write.save(path)
    val loaded = Pipeline.load(path).getStages.head.asInstanceOf[KerasImageFileTransformer]
    assert(loaded.getImageLoader == "import:pictures:load")
    val e = intercept[SparkDLException](loaded.transform(files))
    assert(e.getMessage.contains("function of Python (import:pictures:load), which the JVM cannot call"))
    assert(e.getMessage.contains("set targetSize and preprocessing to what the function does, and clear imageLoader"))
    assert(
      vectors(loaded.clear(loaded.imageLoader).transform(files)).size == 3
    )
  }

  test("images that Python loaded are fed instead of the files, with Python's reasons") {
    val session = spark
    import session.implicits._
    val loaded = structs(spark, struct(0xff0000), null, struct(0x0000ff))
      .withColumn("why not", when($"id" === 1, "ValueError: no picture"))
      .withColumn("my.uri", lit("somewhere"))
    val made = stage().setInputCol("my.uri").setImageLoader("import:pictures:load")
    val kept = made.setHandleInvalid("keep").setErrorCol("why").transformLoaded(loaded, "image", "why not")
    assert(kept.columns.toSeq == Seq("id", "my.uri", "out", "why"))
    assert(vectors(kept) == Seq(Seq(255.0, 0, 0), null, Seq(0.0, 0, 255)))
    assert(kept.select("why").as[String].collect().toSeq == Seq(null, "ValueError: no picture", null))
    val failing = made.setHandleInvalid("error").transformLoaded(loaded, "image", "why not")
    val message = intercept[SparkException](failing.collect()).getMessage
    assert(message.contains("Cannot feed 'somewhere'") && message.contains("ValueError: no picture"))
    val taken =
      intercept[SchemaMismatchException](made.setOutputCol("id").transformLoaded(loaded, "image", "why not"))
    assert(taken.getMessage.contains("has a column 'id' already"))
  }
}
