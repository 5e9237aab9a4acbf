package org.sparkdl.rows

import java.nio.file.{Files, Path}

import org.apache.spark.SparkException
import org.apache.spark.sql.functions._

import org.sparkdl.Model
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.model.{Bundle, ModelDefinition}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** What files say of tensors is not believed. */
class SignatureSuite extends SparkSuite {
  import spark.implicits._

  /** A bundle of `model` whose manifest says something else. */
  private def saying(model: Model)(change: ModelDefinition => ModelDefinition): Model = {
    val folder = Files.createTempDirectory("sparkdl-test-").resolve(model.name)
    Bundle.write(change(model.definition), folder)
    Model.load(folder.toString)
  }

  private def outputAs(dtype: DType, shape: Option[Seq[Long]] = Some(Seq(-1L)))(model: ModelDefinition) =
    model.copy(outputs = model.outputs.map(_.copy(dtype = dtype, shape = shape)))

  private def message(model: Model): String =
    intercept[SparkException](Seq(2f, 3f).toDF("x").select(model(col("x"))).collect()).getMessage

  test("an output of another dtype than the manifest says is refused before its memory is read") {
    Seq(DType.Int32, DType.Float64, DType.Str, DType.UInt8).foreach { dtype =>
      val why = message(saying(TestModels.doubled())(outputAs(dtype)))
      assert(why.contains(s"The signature of model 'doubled' says that 'y' is $dtype [?]"), why)
      assert(why.contains("but the graph's tensor 'y:0' is float32 [?]"), why)
    }
  }

  test("so is one of another rank, or with another dimension") {
    val pairs = TestModels.identity(DType.Float32, Seq(-1L, 2L))
    val rows = Seq(Array(1f, 2f)).toDF("x")
    Seq(Seq(-1L), Seq(-1L, 3L), Seq(-1L, 2L, 1L)).foreach { shape =>
      val model = saying(pairs)(outputAs(DType.Float32, Some(shape)))
      val why = intercept[SparkException](rows.select(model(col("x"))).collect()).getMessage
      assert(why.contains("but the graph's tensor 'y:0' is float32 [?, 2]"), why)
    }
    val open = saying(pairs)(outputAs(DType.Float32, Some(Seq(-1L, -1L))))
    assert(rows.select(open(col("x"))).as[Seq[Float]].head() == Seq(1f, 2f))
  }

  test("an input of another dtype or shape than the manifest says is refused") {
    val model = saying(TestModels.doubled())(m => m.copy(inputs = m.inputs.map(_.copy(dtype = DType.Float64))))
    assert(message(model).contains("says that 'x' is float64 [?], but the graph's tensor 'x:0' is float32 [?]"))
    val pairs = TestModels.identity(DType.Float32, Seq(-1L, 2L))
    val triples = saying(pairs)(m => m.copy(inputs = m.inputs.map(_.copy(shape = Some(Seq(-1L, 3L))))))
    val rows = Seq(Array(1f, 2f, 3f)).toDF("x")
    val why = intercept[SparkException](rows.select(triples(col("x"))).collect()).getMessage
    assert(why.contains("says that 'x' is float32 [?, 3], but the graph's tensor 'x:0' is float32 [?, 2]"))
  }

  test("where the graph leaves dimensions open, the tensor of each run is compared") {
    val any = TestModels.identity(DType.Float32, Seq(-1L, -1L))
    val triples = saying(any)(outputAs(DType.Float32, Some(Seq(-1L, 3L))))
    assert(Seq(Array(1f, 2f, 3f)).toDF("x").select(triples(col("x"))).as[Seq[Float]].head() == Seq(1f, 2f, 3f))
    val rows = Seq(Array(1f, 2f)).toDF("x")
    val why = intercept[SparkException](rows.select(triples(col("x"))).collect()).getMessage
    assert(
      why.contains("Output 'y' of model 'identity' is float32 [1, 2] in a run, but its signature says float32 [?, 3]")
    )
  }

  test("a tensor that the graph does not have is an error that names it") {
    val model = saying(TestModels.doubled())(m => m.copy(outputs = m.outputs.map(_.copy(tensor = "y:7"))))
    assert(message(model).contains("has no tensor 'y:7'"))
  }

  test("a manifest with a shape that no tensor can have is refused when it is read") {
    val folder = Files.createTempDirectory("sparkdl-test-").resolve("doubled")
    Bundle.write(TestModels.doubled().definition, folder)
    val manifest = Files.readString(folder.resolve(Bundle.Manifest))
    val shape = """"shape" : [ -1 ]"""
    assert(manifest.contains(shape))
    Seq("\"many\"", "[ -2 ]", "[ 0.5 ]", "[ \"a\" ]", s"[ -1, ${1L << 40}, ${1L << 40} ]", "[ 1e30 ]").foreach {
      wrong =>
        write(folder, manifest.replace(shape, s""""shape" : $wrong"""))
        val why = intercept[InvalidModelException](Model.load(folder.toString)).getMessage
        assert(why.contains("the shape of 'x' is") && why.contains("expected whole numbers"), why)
    }
  }

  private def write(folder: Path, manifest: String): Unit = {
    Files.writeString(folder.resolve(Bundle.Manifest), manifest)
    ()
  }
}
