package org.sparkdl.rows

import org.apache.spark.SparkException
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.streaming.Trigger

import org.sparkdl.Model
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.ml.TestBundles
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.{Operators, SparkSuite, TestModels}

/** Graphs that take a fixed number of rows, of which there are fewer, or some that TensorFlow refuses. */
class FixedBatchSuite extends SparkSuite with Operators {
  import spark.implicits._

  private val rows = 8L

  /** letters[x + y], which refuses whatever is not in the table: each dtype can only hold good rows. */
  private def looked(dtype: DType = DType.Int32, inputs: Seq[String] = Seq("x", "y")): Model = TestModels.load(
    "looked",
    Nil,
    g =>
      inputs
        .foldLeft(g)((made, input) => made.placeholder(input, dtype, Seq(rows, -1)))
        .tensor("table", DType.Float32, Seq(100), (0 until 100).map(_ * 10.0))
        .const("axis", DType.Int32, Seq(0), vector = false)
        .node("AddV2", "at", Seq(inputs.head, inputs.last), Map("T" -> dtype))
        .node(
          "GatherV2",
          "z",
          Seq("table", "at", "axis"),
          Map("Tparams" -> DType.Float32, "Tindices" -> dtype, "Taxis" -> DType.Int32)
        )
  )

  private def indices(values: Int*): DataFrame =
    values.zipWithIndex.map { case (v, i) => (i, Array(v), Array(1)) }.toDF("id", "x", "y").coalesce(1)

  private def values(df: DataFrame): Seq[Float] =
    df.orderBy("id").select("z").as[Seq[Float]].collect().map(_.head).toSeq

  /** Leaves numbers in native memory that no table has. */
  private def spoil(): Unit = {
    val model = TestModels.doubled(DType.Int32, Seq(-1L, 64L))
    val noise = spark.range(2000).select(model(array_repeat(lit(1 << 29), 64)) as "y")
    assert(noise.agg(count("y")).head().getLong(0) == 2000)
  }

  test("empty slots hold a good row: several inputs, in stages, columns and partitions of every size") {
    spoil()
    val df = indices(1 to 19: _*)
    val expected = (1 to 19).map(i => (i + 1) * 10f)
    assert(values(df.select(col("id"), looked()(col("x"), col("y")) as "z")) == expected)
    assert(values(looked().appendTo(df, Seq("x", "y"), Seq("z"))) == expected)
    assert(values(looked().appendTo(df.repartition(7), Seq("x", "y"), Seq("z"))) == expected)
    looked().register(spark, "looked")
    df.createOrReplaceTempView("indices")
    assert(values(spark.sql("SELECT id, looked(x, y) AS z FROM indices")) == expected)
  }

  test("rows of different lengths fill up their own batches") {
    val df = Seq((0, Array(1, 2), Array(1, 1)), (1, Array(3), Array(1)), (2, Array(5, 6), Array(1, 1)))
      .toDF("id", "x", "y")
      .coalesce(1)
    val got = looked().appendTo(df, Seq("x", "y"), Seq("z")).orderBy("id").select("z").as[Seq[Float]].collect().toSeq
    assert(got == Seq(Seq(20f, 30f), Seq(40f), Seq(60f, 70f)))
  }

  test("what is rejected is in no slot: it is counted once, and copies are no rows") {
    val df = indices(1, 2, 3).withColumn("y", when(col("id") === 0, null).otherwise(col("y")))
    val kept = looked().withHandleInvalid("keep").appendTo(df, Seq("x", "y"), Seq("z"), Some("why"))
    assert(kept.collect().toSeq.map(_.getAs[Any]("z")) == Seq(null, Seq(30f), Seq(40f)))
    assert(metric(kept, "rows") == 3 && metric(kept, "rejected") == 1 && metric(kept, "batches") == 1)
    val none = looked().withHandleInvalid("keep").appendTo(df.filter("id = 0"), Seq("x", "y"), Seq("z"))
    assert(none.collect().toSeq.map(_.getAs[Any]("z")) == Seq(null) && metric(none, "batches") == 0)
  }

  test("a row whose values TensorFlow refuses does not take its batch along") {
    val df = indices(1, 1000, 3, -7, 5, 6, 7, 8, 9, 10)
    val e = intercept[SparkException](looked().appendTo(df, Seq("x", "y"), Seq("z")).collect())
    assert(e.getMessage.contains("indices[1,0] = 1001 is not in [0, 100)"))
    val skipped = looked().withHandleInvalid("skip").appendTo(df, Seq("x", "y"), Seq("z"))
    assert(skipped.select("id").as[Int].collect().toSeq == Seq(0, 2, 4, 5, 6, 7, 8, 9))
    assert(values(skipped) == Seq(20f, 40f, 60f, 70f, 80f, 90f, 100f, 110f))
    val kept = looked().withHandleInvalid("keep").appendTo(df, Seq("x", "y"), Seq("z"), Some("why"))
    val reasons = kept.collect().map(r => r.getAs[Int]("id") -> r.getAs[String]("why")).toMap
    assert(reasons.filter(_._2 != null).keySet == Set(1, 3) && reasons(3).contains("= -6 is not in [0, 100)"))
    assert(metric(kept, "rejected") == 2 && metric(kept, "rows") == 10)
  }

  test("strings: the copies are texts of a good row") {
    val model = TestModels.load(
      "parse8",
      Nil,
      _.placeholder("text", DType.Str, Seq(rows)).node(
        "StringToNumber",
        "number",
        Seq("text"),
        Map("out_type" -> DType.Float32)
      )
    )
    val df = Seq("1", "2.5", "3").toDF("text").coalesce(1)
    assert(df.select(model(col("text"))).as[Float].collect().toSeq == Seq(1f, 2.5f, 3f))
    val bad = Seq("1", "two", "3").toDF("text").coalesce(1)
    val kept = model.withHandleInvalid("keep").appendTo(bad, Seq("text"), Seq("n"))
    assert(kept.select("n").collect().toSeq == Seq(Row(1f), Row(null), Row(3f)))
  }

  test("images, as bytes and structs, fill up with a picture") {
    val model = TestModels.load(
      "pictures",
      Seq("mean"),
      (g: GraphDefs) =>
        g.placeholder("images", DType.UInt8, Seq(rows, 8, 6, 3))
          .const("axes", DType.Int32, Seq(1, 2))
          .node("Cast", "pixels", Seq("images"), Map("SrcT" -> DType.UInt8, "DstT" -> DType.Float32))
          .node("Mean", "mean", Seq("pixels", "axes"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
    )
    val images = new Model(
      model.definition.copy(image = Some(org.sparkdl.model.ImageInfo("images", 8, 6, "RGB"))),
      model.options
    )
    val df = TestBundles.encoded(spark, TestBundles.fourColours.take(3).map(TestBundles.png(_)): _*)
    val expected = Seq(Seq(255f, 0f, 0f), Seq(0f, 255f, 0f), Seq(0f, 0f, 255f))
    assert(df.select(images(col("content"))).as[Seq[Float]].collect().toSeq == expected)
    val structs = TestBundles.structs(spark, TestBundles.fourColours.take(3).map(TestBundles.struct(_)): _*)
    assert(structs.select(images(col("image"))).as[Seq[Float]].collect().toSeq == expected)
  }

  test("a stream gives what a batch gives") {
    val source = java.nio.file.Files.createTempDirectory("sparkdl-stream-").resolve("in").toString
    indices(1, 2, 3).write.parquet(source)
    val out = looked().appendTo(spark.readStream.schema(indices(1).schema).parquet(source), Seq("x", "y"), Seq("z"))
    val query = out.writeStream.format("memory").queryName("fixed").trigger(Trigger.AvailableNow()).start()
    query.awaitTermination()
    assert(values(spark.table("fixed")) == Seq(20f, 30f, 40f))
  }

  test("inputs that are fixed to different numbers of rows are refused on the driver") {
    val model = TestModels.load(
      "uneven",
      Nil,
      _.placeholder("x", DType.Float32, Seq(8L))
        .placeholder("y", DType.Float32, Seq(4L))
        .const("axis", DType.Int32, Seq(0), vector = false)
        .node("ConcatV2", "z", Seq("x", "y", "axis"), Map("N" -> 2L, "T" -> DType.Float32, "Tidx" -> DType.Int32))
    )
    val e = intercept[SchemaMismatchException](model(col("x"), col("y")))
    assert(e.getMessage.contains("take different numbers of rows: x: float32 [8]; y: float32 [4]"))
  }
}
