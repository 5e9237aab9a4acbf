package org.sparkdl.ml

import java.nio.file.Files
import java.util.{List => JList, Map => JMap}

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.col

import org.sparkdl.errors.{SchemaMismatchException, SettingsException}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Constants of stages for placeholders that no column feeds. */
class HasConstantsSuite extends SparkSuite {
  import spark.implicits._

  private lazy val numbers: DataFrame = spark.range(3).select(col("id").cast("float") as "x").coalesce(1)

  private lazy val scaled: String = TestModels
    .write(
      "scaled",
      _.placeholder("x", DType.Float32, Seq(-1L))
        .placeholder("keep_prob", DType.Float32)
        .placeholder("shifts", DType.Float32, Seq(2L))
        .const("first", DType.Int32, Seq(0), vector = false)
        .node(
          "GatherV2",
          "shift",
          Seq("shifts", "first", "first"),
          Map("Tparams" -> DType.Float32, "Tindices" -> DType.Int32, "Taxis" -> DType.Int32)
        )
        .node("Mul", "kept", Seq("x", "keep_prob"), Map("T" -> DType.Float32))
        .node("AddV2", "y", Seq("kept", "shift"), Map("T" -> DType.Float32))
    )
    .toString

  private def stage: TFTransformer =
    new TFTransformer().setTfInputGraph(scaled).setInputMapping(Map("x" -> "x")).setOutputMapping(Map("y:0" -> "o"))

  private def values(stage: TFTransformer): Seq[Float] =
    stage.transform(numbers).select("o").as[Float].collect().toSeq

  test("transform refuses a graph with placeholders that no column feeds, and runs with constants") {
    val e = intercept[SchemaMismatchException](stage.transform(numbers))
    assert(e.getMessage.contains("output 'y' needs 'keep_prob' (float32 [...])"))
    assert(
      values(stage.setConstants(Map[String, Any]("keep_prob" -> 2, "shifts" -> Seq(0.5, 9)))) == Seq(0.5f, 2.5f, 4.5f)
    )
    val java: JMap[String, Any] = JMap.of("keep_prob", 2.0, "shifts", JList.of(1, 2))
    assert(values(stage.setConstants(java)) == Seq(1f, 3f, 5f))
    assert(stage.setConstants(java).getConstants == java)
  }

  test("a constant for what a column feeds is refused") {
    val e = intercept[SchemaMismatchException](stage.setConstants(Map[String, Any]("x:0" -> 1.0)).transform(numbers))
    assert(e.getMessage.contains("Input 'x' of model 'scaled' is fed by a column and has a constant ('x:0')"))
    val wrong = stage.setConstants(Map[String, Any]("keep_prob" -> true))
    assert(intercept[SettingsException](wrong.transform(numbers)).getMessage.contains("but true is a boolean"))
  }

  test("constants are saved with the stage, and saved again") {
    val path = Files.createTempDirectory("sparkdl-saved-").resolve("stage").toString
    val made = stage.setConstants(Map[String, Any]("keep_prob" -> 2.5, "shifts" -> Seq(1, 2)))
    made.write.save(path)
    val loaded = TFTransformer.load(path)
    assert(loaded.getConstants == made.getConstants && values(loaded) == Seq(1f, 3.5f, 6f))
    loaded.write.overwrite().save(path)
    assert(values(TFTransformer.load(path)) == Seq(1f, 3.5f, 6f))
  }

  test("images: placeholders besides the pictures") {
    val graph = TestModels
      .write(
        "pictures",
        _.placeholder("images", DType.Float32, Seq(-1L, 8, 6, 3))
          .placeholder("phase_train", DType.Bool, Nil)
          .const("axes", DType.Int32, Seq(1, 2))
          .node("Mean", "mean", Seq("images", "axes"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
          .node("Neg", "minus", Seq("mean"), Map("T" -> DType.Float32))
          .node("SelectV2", "features", Seq("phase_train", "minus", "mean"), Map("T" -> DType.Float32))
      )
      .toString
    val df = TestBundles.encoded(spark, TestBundles.png(0xff0000))
    def make = new TFImageTransformer().setInputCol("content").setOutputCol("f").setTfInputGraph(graph)
    val e = intercept[SchemaMismatchException](make.setInputTensor("images").transform(df))
    assert(e.getMessage.contains("needs 'phase_train' (bool [])"))
    Seq(make, make.setInputTensor("images:0")).foreach { stage =>
      val out = stage.setConstants(Map[String, Any]("phase_train" -> false)).transform(df).select("f").head()
      assert(out.getAs[org.apache.spark.ml.linalg.Vector](0).toArray.toSeq == Seq(255.0, 0.0, 0.0))
    }
  }
}
