package org.sparkdl.application

import org.apache.spark.SparkException
import org.apache.spark.sql.functions._

import org.sparkdl.Model
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Outputs that do not have one entry per row. */
class RowCountsSuite extends SparkSuite {
  import spark.implicits._

  private lazy val numbers = spark.range(4).select(col("id").cast("float") as "x").coalesce(1)

  /** The sum over all rows in this shape. */
  private def total(shape: Int*): Model = TestModels.load(
    "total",
    Seq("y"),
    _.placeholder("x", DType.Float32, Seq(-1L))
      .const("axis", DType.Int32, Seq(0))
      .const("dims", DType.Int32, shape.map(_.toDouble))
      .node("Sum", "sum", Seq("x", "axis"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
      .node("Reshape", "y", Seq("sum", "dims"), Map("T" -> DType.Float32, "Tshape" -> DType.Int32))
  )

  /** The first row; only a default says that it is one row. */
  private def first: Model = TestModels.load(
    "first",
    Seq("y"),
    _.placeholder("x", DType.Float32, Seq(-1L))
      .const("begin", DType.Int32, Seq(0))
      .const("one", DType.Int32, Seq(1))
      .node("PlaceholderWithDefault", "size", Seq("one"), Map("dtype" -> DType.Int32, "shape" -> Seq(1L)))
      .node("Slice", "y", Seq("x", "begin", "size"), Map("T" -> DType.Float32, "Index" -> DType.Int32))
  )

  private def refused(model: Model): String = intercept[SchemaMismatchException](model(col("x"))).getMessage

  test("an output of [1, ...] is refused before anything runs, and the remedy works") {
    val text = refused(total(1))
    assert(
      text.contains(
        "Output 'y' of model 'total' is float32 [1]: its first dimension is 1, whatever the number of rows"
      )
    )
    assert(
      text.contains("run it row by row: batchSize=1 in a stage, with_batch_size(1) or withBatchSize(1) of a Model")
    )
    val one = numbers.select(total(1).withBatchSize(1)(col("x")))
    assert(one.as[Float].collect().toSeq == Seq(0f, 1f, 2f, 3f))
  }

  test("a number of rows that only the run tells is refused with the same remedy") {
    val e = intercept[SparkException](numbers.select(first(col("x"))).collect())
    assert(e.getMessage.contains("has the shape [1]: expected 4 entries"))
    assert(e.getMessage.contains("withBatchSize(1) of a Model"))
    assert(numbers.select(first.withBatchSize(1)(col("x"))).as[Float].collect().toSeq == Seq(0f, 1f, 2f, 3f))
  }

  test("scalars and outputs of another length say what to do, in every form of a column") {
    Seq[Model => Model](identity, _.flattened).foreach { form =>
      assert(refused(form(total())).contains("keep the first dimension in the graph"))
    }
    val five = TestModels.load(
      "five",
      Seq("y"),
      _.placeholder("x", DType.Float32, Seq(-1L))
        .const("c", DType.Float32, Seq(1, 2, 3, 4, 5))
        .node("Identity", "y", Seq("c", "^x"), Map("T" -> DType.Float32))
    )
    assert(
      refused(five).contains("is float32 [5]: its first dimension is 5") && refused(five).contains(
        "or choose another"
      )
    )
  }
}
