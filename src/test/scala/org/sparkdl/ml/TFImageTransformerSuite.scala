package org.sparkdl.ml

import java.nio.file.Files

import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.Row

import org.sparkdl.errors.{InvalidModelException, SparkDLException}
import org.sparkdl.image.TestImages
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Graphs on images. */
class TFImageTransformerSuite extends SparkSuite {
  import TestBundles._

  private val any = Seq(-1L, -1L, -1L, -1L)

  /** y = x, and the average of each channel. */
  private def graph(dtype: DType, shape: Seq[Long]): String = TestModels
    .write(
      "graph",
      _.placeholder("x", dtype, shape)
        .const("axes", DType.Int32, Seq(1, 2))
        .node("Identity", "y", Seq("x"), Map("T" -> dtype))
        .node("Mean", "average", Seq("x", "axes"), Map("T" -> dtype, "Tidx" -> DType.Int32))
    )
    .toString

  private def stage(dtype: DType = DType.Float32, shape: Seq[Long] = any): TFImageTransformer =
    new TFImageTransformer().setInputCol("image").setOutputCol("out").setTfInputGraph(graph(dtype, shape))

  private def vectors(stage: TFImageTransformer, images: Row*): Seq[Seq[Double]] =
    stage.transform(structs(spark, images: _*)).select("out").collect().toSeq.map(_.getAs[Vector](0).toArray.toSeq)

  test("images are resized where the graph has a size, and keep theirs where it has none") {
    val red = struct(0xff0000, height = 4, width = 2)
    val small = stage(shape = Seq(-1L, 2L, 1L, 3L)).setOutputTensor("y:0")
    assert(vectors(small, red) == Seq(Seq(255.0, 0, 0, 255, 0, 0)))
    val out = vectors(stage().setOutputTensor("y"), red, struct(0x0000ff, height = 1, width = 1))
    assert(out == Seq(Seq.fill(8)(Seq(255.0, 0, 0)).flatten, Seq(0.0, 0, 255)))
  }

  test("channelOrder is the graph's: RGB where it is not set") {
    val image = struct(0x102030, height = 1, width = 1)
    def out(order: String) = vectors(stage().setChannelOrder(order).setOutputTensor("average"), image).head
    assert(out("RGB") == Seq(16.0, 32, 48) && out("BGR") == Seq(48.0, 32, 16) && out("L") == Seq(29.0))
    assert(vectors(stage().setOutputTensor("average"), image).head == Seq(16.0, 32, 48))
  }

  test("an output becomes an image struct in BGR order again") {
    val picture = TestImages.picture(5, 7)
    val bgr = Row("here", 5, 7, 3, 16, TestImages.bgr(picture))
    for (order <- Seq("RGB", "BGR")) {
      val bytes = stage(DType.UInt8).setChannelOrder(order).setOutputTensor("y").setOutputMode("image")
      val same = bytes.transform(structs(spark, bgr)).select("out.*").head()
      assert(same.getString(0) == "" && same.toSeq.slice(1, 5) == Seq(5, 7, 3, 16))
      assert(same.getAs[Array[Byte]](5).sameElements(TestImages.bgr(picture)))
      val floats = stage().setChannelOrder(order).setOutputTensor("y").setOutputMode("image")
      val image = floats.transform(structs(spark, bgr))
      assert(image.select("out.mode", "out.nChannels").head() == Row(21, 3))
      // and the struct of floats is fed again without a change
      val again = floats.copy(org.apache.spark.ml.param.ParamMap.empty).asInstanceOf[TFImageTransformer]
      val twice =
        again.setInputCol("out").setOutputCol("twice").transform(image).select("out.data", "twice.data").head()
      assert(twice.getAs[Array[Byte]](0).sameElements(twice.getAs[Array[Byte]](1)))
    }
  }

  test("grey outputs are grey structs") {
    val one =
      stage(DType.UInt8, Seq(-1L, 4L, 4L, 1L)).setChannelOrder("L").setOutputTensor("y").setOutputMode("image")
    val out = one.transform(structs(spark, struct(0x808080))).select("out.*").head()
    assert(out.toSeq.slice(1, 5) == Seq(4, 4, 1, 0) && out.getAs[Array[Byte]](5).forall(_ == 0x80.toByte))
  }

  test("an output that cannot become an image is refused on the driver") {
    val df = structs(spark, struct(0xff0000))
    def message(s: TFImageTransformer) = intercept[SparkDLException](s.transformSchema(df.schema)).getMessage
    assert(
      message(stage().setOutputTensor("average").setOutputMode("image"))
        .contains("which cannot become an image struct: expected float32 or uint8 [rows, height, width, channels]")
    )
    assert(
      message(stage(DType.Float64).setOutputTensor("y").setOutputMode("image")).contains("is float64 [?, ?, ?, ?]")
    )
    assert(message(stage().setOutputMode("image")).contains("expected a model with one output, but 'graph' has 2"))
  }

  test("an unknown tensor, order or mode is refused with those that exist") {
    val df = structs(spark, struct(0xff0000))
    val e = intercept[InvalidModelException](stage().setOutputTensor("nope").transformSchema(df.schema))
    assert(e.getMessage.contains("it has no tensor 'nope'; some that it has: x, axes, y, average"))
    def message(change: TFImageTransformer => Any) = intercept[SparkDLException](change(stage())).getMessage
    assert(message(_.setChannelOrder("HSV")) == "Unknown channelOrder 'HSV'. Expected one of: RGB, BGR, L.")
    assert(message(_.setOutputMode("array")) == "Unknown outputMode 'array'. Expected one of: vector, image.")
    assert(message(_.setScaleHint("big")).contains("Expected one of: SCALE_AREA_AVERAGING, SCALE_SMOOTH"))
    val grey = stage(shape = Seq(-1L, 8L, 8L, 1L)).setOutputTensor("average")
    assert(
      intercept[SparkDLException](grey.transformSchema(df.schema)).getMessage
        .contains("channelOrder 'RGB' gives 3 channel(s); expected 1")
    )
  }

  test("a graph with another placeholder is distinguished from one with a single input") {
    val two = TestModels.write(
      "two",
      _.placeholder("a", DType.Float32, any)
        .placeholder("b", DType.Float32, any)
        .node("AddV2", "y", Seq("a", "b"), Map("T" -> DType.Float32))
    )
    val made = new TFImageTransformer().setInputCol("image").setOutputCol("out").setTfInputGraph(two.toString)
    val e = intercept[SparkDLException](made.transformSchema(structs(spark, struct(0)).schema))
    assert(e.getMessage.contains("expected a model with one input, but 'two' has 2: a: float32"))
  }

  test("what a bundle says about its images holds, and a saved stage keeps what it is told") {
    val bundle = write(Files.createTempDirectory("sparkdl-bundle-").resolve("colours"), "colours").toString
    val made = new TFImageTransformer().setInputCol("image").setOutputCol("out").setTfInputGraph(bundle)
    val image = struct(0x102030)
    assert(vectors(made.setOutputTensor("features_avg"), image).head == Seq(16.0, 32, 48))
    val saved = stage().setChannelOrder("BGR").setInputTensor("x:0").setOutputTensor("average:0")
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    saved.write.save(path)
    assert(vectors(TFImageTransformer.load(path), image) == vectors(saved, image))
    assert(vectors(saved, image).head == Seq(48.0, 32, 16))
  }
}
