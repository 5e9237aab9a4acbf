package org.sparkdl.ml

import org.apache.spark.ml.linalg.{Vector, Vectors}
import org.apache.spark.sql.functions._

import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException, SparkDLException}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Graphs and Keras models on columns of tensors. */
class TensorStageSuite extends SparkSuite {

  /** sum = a + scope/b, product = a * scope/b; rows of two numbers. */
  private lazy val twoByTwo = TestModels
    .write(
      "twoByTwo",
      _.placeholder("a", DType.Float32, Seq(-1L, 2L))
        .placeholder("scope/b", DType.Float32, Seq(-1L, 2L))
        .node("AddV2", "scope/sum", Seq("a", "scope/b"), Map("T" -> DType.Float32))
        .node("Mul", "product", Seq("a", "scope/b"), Map("T" -> DType.Float32))
        .node("Square", "squared", Seq("scope/sum"), Map("T" -> DType.Float32))
    )
    .toString

  private lazy val df = spark
    .range(3)
    .select(col("id"), array(col("id"), lit(1)) as "x", array(lit(2.0), col("id").cast("double")) as "y")
    .coalesce(1)

  private def graph =
    new TFTransformer().setTfInputGraph(twoByTwo).setInputMapping(Map("x" -> "a", "y" -> "scope/b:0"))

  test("several inputs and outputs, named by operation or tensor, also ones that other operations use") {
    val out = graph.setOutputMapping(Map("scope/sum:0" -> "s", "product" -> "p")).transform(df)
    assert(out.columns.toSeq == Seq("id", "x", "y", "p", "s"))
    val rows = out.select("s", "p").collect().map(r => (r.getSeq[Float](0), r.getSeq[Float](1))).toSeq
    assert(rows == Seq(0, 1, 2).map(i => (Seq(i + 2f, 1f + i), Seq(2f * i, i.toFloat))))
  }

  test("outputs become MLlib vectors where asked, and vectors are taken as inputs") {
    val session = spark
    import session.implicits._
    val vectors = Seq((Vectors.dense(1, 2), Vectors.sparse(2, Array(1), Array(5.0)))).toDF("x", "y")
    val out = graph.setOutputMapping(Map("product" -> "p")).setOutputMode("vector").transform(vectors)
    assert(out.select("p").head().getAs[Vector](0) == Vectors.dense(0, 10))
  }

  test("what the graph does not have, and inputs without a column, are errors that list what there is") {
    def message(stage: TFTransformer) = intercept[SparkDLException](stage.transformSchema(df.schema)).getMessage
    assert(message(graph.setOutputMapping(Map("nope" -> "p"))).contains("it has no tensor 'nope'"))
    assert(message(graph).contains("outputMapping is not set. From an output"))
    val bundle = savedBundle()
    val saved = new TFTransformer().setTfInputGraph(bundle).setInputMapping(Map("x" -> "a"))
    assert(
      message(saved.setOutputMapping(Map("product" -> "p")))
        .contains("no column feeds scope/b: float32 [?, 2] of model 'twoByTwo'; the columns are 'x' for 'a'")
    )
    assert(
      message(saved.setInputMapping(Map("x" -> "a", "y" -> "b")))
        .contains("has no input 'b'. It has: a: float32 [?, 2] (a:0); scope/b: float32 [?, 2] (scope/b:0)")
    )
  }

  private def savedBundle(): String = {
    val path = java.nio.file.Files.createTempDirectory("sparkdl-saved-").resolve("stage")
    graph.setOutputMapping(Map("product" -> "p")).write.save(path.toString)
    TFTransformer.load(path.toString).getTfInputGraph
  }

  test("types that an input does not take are refused with the expected and the received one") {
    val stage = graph.setOutputMapping(Map("product" -> "p")).setInputMapping(Map("id" -> "a", "y" -> "scope/b"))
    val e = intercept[SchemaMismatchException](stage.transformSchema(df.schema))
    assert(e.getMessage.contains("expected float32 [?, 2], got bigint"))
  }

  test("KerasTransformer takes a column per input, in the order of the inputs") {
    val stage = new KerasTransformer().setModelFile(savedBundle()).setInputCols(Array("x", "y"))
    val out = stage.setOutputCol("p").transform(df)
    assert(out.select("p").collect().map(_.getSeq[Float](0)).toSeq == Seq(0, 1, 2).map(i => Seq(2f * i, i.toFloat)))
    def message(stage: KerasTransformer) = intercept[SparkDLException](stage.transformSchema(df.schema)).getMessage
    assert(
      message(new KerasTransformer().setModelFile(savedBundle()).setInputCol("x"))
        .contains(
          "has 2 input(s) (a: float32 [?, 2]; scope/b: float32 [?, 2]), but 1 column(s) are named (x). Set inputCols"
        )
    )
    assert(message(stage.setInputCol("x")).contains("inputCol and inputCols are both set"))
  }

  test("a file of Keras is refused in Scala with the command that makes a bundle of it") {
    val file = java.nio.file.Files.createTempFile("model", ".keras")
    java.nio.file.Files.write(file, Array[Byte](0x89.toByte, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n')) // as HDF5 begins
    val stage = new KerasTransformer().setInputCol("x").setModelFile(file.toString)
    val e = intercept[InvalidModelException](stage.transformSchema(df.schema))
    assert(e.getMessage.contains(s"python -m sparkdl bundle $file --out"))
  }
}
