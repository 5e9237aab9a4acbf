package org.sparkdl.rows

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.{Matrices, Vectors}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.sparkdl.nodes.ModelFrames

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, SparkStreams, SparkSuite, TestModels}

class OperatorSuite extends SparkSuite with Operators {
  import spark.implicits._

  private lazy val numbers: DataFrame = spark.range(0, 100, 1, 3).select(col("id"), col("id").cast("float") as "x")

  test("a model is a column, and every output belongs to its row") {
    val df = numbers.select(col("id"), TestModels.doubled()(col("x")) as "y")
    assert(df.as[(Long, Float)].collect().toSeq == (0L until 100).map(i => (i, 2f * i)))
  }

  test("the operator counts rows and batches and names the model in explain") {
    val df = numbers.select(TestModels.doubled().withBatchSize(10)(col("x")) as "y")
    assert(df.collect().length == 100)
    assert(metric(df, "rows") == 100 && metric(df, "batches") == 12) // 33 + 33 + 34 rows
    assert(df.queryExecution.explainString(org.apache.spark.sql.execution.SimpleMode).contains("EvalModel doubled"))
  }

  test("a SQL function that stands in WHERE and SELECT runs once per row") {
    TestModels.doubled().register(spark, "twice")
    numbers.createOrReplaceTempView("numbers")
    val df = spark.sql("SELECT id, twice(x) AS y FROM numbers WHERE twice(x) > 150 AND id % 2 = 0")
    assert(df.collect().toSeq == (76L until 100L by 2L).map(i => Row(i, 2f * i)), "in the order of the rows")
    assert(operators(df).size == 1)
    assert(metric(df, "rows") == 50, "the conjunct without the model goes first")
  }

  test("a projection whose alias is filtered runs the model once") {
    val df = numbers.select(col("id"), TestModels.doubled()(col("x")) as "y").filter("y > 100 AND y < 110")
    assert(df.count() == 4 && operators(df.select("id", "y")).size == 1)
  }

  test("a model of a model") {
    val m = TestModels.doubled()
    val df = numbers.select(m(m(col("x"))) as "y", m(col("x")) as "z").agg(sum("y"), sum("z"))
    assert(df.head() == Row(4.0 * 4950, 2.0 * 4950))
    assert(operators(df).size == 2)
  }

  test("models stand in aggregates, grouping keys, sorts and joins") {
    TestModels.doubled().register(spark, "twice")
    numbers.createOrReplaceTempView("numbers")
    assert(spark.sql("SELECT max(twice(x)), sum(id) FROM numbers").head() == Row(198f, 4950L))
    val groups = spark.sql(
      "SELECT twice(cast(id % 3 AS float)) k, count(*) FROM numbers GROUP BY twice(cast(id % 3 AS float)) ORDER BY k"
    )
    assert(groups.collect().toSeq == Seq(Row(0f, 34L), Row(2f, 33L), Row(4f, 33L)))
    val top = spark.sql("SELECT id FROM numbers ORDER BY twice(x) DESC LIMIT 2")
    assert(top.collect().toSeq == Seq(Row(99L), Row(98L)))
    assert(metric(top, "rows") == 100, "planned as a top-k, without a sort that samples its input")
    val join =
      spark.sql("SELECT a.id, b.id FROM numbers a JOIN numbers b ON twice(a.x) = b.x WHERE a.id < 3 ORDER BY 1")
    assert(join.collect().toSeq == Seq(Row(0L, 0L), Row(1L, 2L), Row(2L, 4L)))
  }

  test("several outputs are a struct, and only the fetched ones are computed") {
    val m = TestModels.twoOutputs
    val df = numbers.select(m(col("x")) as "o").select("o.square", "o.twice")
    assert(df.as[(Float, Float)].collect()(3) == (9f, 6f))
    assert(operators(df).size == 1)
    assert(numbers.select(m.select("square")(col("x")) as "s").as[Float].collect()(5) == 25f)
    val one = m.appendTo(numbers, Seq("x"), Seq("t", "s")).select("s")
    assert(operators(one).head.outputs.size == 1 && one.as[Float].collect()(4) == 16f)
  }

  test("count does not run the model, a filter on other columns and a limit go below it") {
    val df = TestModels.doubled().appendTo(numbers, Seq("x"), Seq("y"))
    assert(operators(df.groupBy().count()).isEmpty)
    val filtered = df.filter("id < 7")
    assert(filtered.collect().length == 7 && metric(filtered, "rows") == 7)
    val limited = df.limit(5)
    assert(limited.collect().length == 5 && metric(limited, "rows") <= 5 * 3)
  }

  test("nulls: null in a column expression, an error in a stage, skipped or kept where asked") {
    val df = Seq((1, Some(1f)), (2, None), (3, Some(3f))).toDF("id", "x").coalesce(1)
    val m = TestModels.doubled()
    assert(df.select(m(col("x")) as "y").collect().toSeq == Seq(Row(2f), Row(null), Row(6f)))
    val e = intercept[SparkException](m.appendTo(df, Seq("x"), Seq("y")).collect())
    assert(e.getMessage.contains("the value for input 'x' is null") && e.getMessage.contains("handleInvalid"))
    val skipped = m.withHandleInvalid("skip").appendTo(df, Seq("x"), Seq("y"))
    assert(skipped.collect().toSeq == Seq(Row(1, 1f, 2f), Row(3, 3f, 6f)))
    assert(skipped.count() == 2, "skipping must not be optimized away")
    val kept = m.withHandleInvalid("keep").appendTo(df, Seq("x"), Seq("y"), Some("why")).select("id", "y", "why")
    assert(
      kept.collect().toSeq == Seq(Row(1, 2f, null), Row(2, null, "the value for input 'x' is null"), Row(3, 6f, null))
    )
  }

  test("rows that are invalid already are handled like those that cannot be fed, with their own reason") {
    val df = Seq((1, 1f, null), (2, 2f, "it is late"), (3, 3f, null)).toDF("id", "x", "why not").coalesce(1)
    def made(policy: String) = ModelFrames
      .append(
        df,
        TestModels.doubled().withHandleInvalid(policy).application(spark),
        Seq("x"),
        Seq("y"),
        Some("why"),
        None,
        Some("why not")
      )
      .select("id", "y", "why")
    assert(intercept[SparkException](made("error").collect()).getMessage.contains("it is late"))
    assert(made("skip").collect().toSeq == Seq(Row(1, 2f, null), Row(3, 6f, null)))
    assert(made("keep").collect().toSeq == Seq(Row(1, 2f, null), Row(2, null, "it is late"), Row(3, 6f, null)))
  }

  test("rows that TensorFlow refuses are found one by one, and no other row is lost or shifted") {
    val text = (0 until 40).map(i => (i, if (i % 7 == 3) s"no number $i" else s"$i")).toDF("id", "text").coalesce(1)
    val m = TestModels.parse.withBatchSize(16)
    intercept[SparkException](m.appendTo(text, Seq("text"), Seq("n")).collect())
    val kept = m.withHandleInvalid("keep").appendTo(text, Seq("text"), Seq("n"), Some("why")).collect()
    kept.foreach { r =>
      val i = r.getInt(0)
      if (i % 7 == 3) assert(r.isNullAt(2) && r.getString(3).contains(s"no number $i"))
      else assert(r.getFloat(2) == i.toFloat && r.isNullAt(3))
    }
    assert(kept.map(_.getInt(0)).toSeq == (0 until 40))
    val skipped =
      m.withHandleInvalid("skip").appendTo(text, Seq("text"), Seq("n")).select("id", "n").as[(Int, Float)].collect()
    assert(skipped.toSeq == (0 until 40).filter(_ % 7 != 3).map(i => (i, i.toFloat)))
  }

  test("arrays, nested arrays, vectors and matrices are fed, with their lengths checked per row") {
    val m = TestModels.doubled(DType.Float64, Seq(-1, 2, 2))
    val nested = Seq(Seq(Seq(1.0, 2.0), Seq(3.0, 4.0))).toDF("a")
    assert(nested.select(m(col("a"))).as[Seq[Seq[Double]]].head() == Seq(Seq(2.0, 4.0), Seq(6.0, 8.0)))
    val matrix =
      Seq(Tuple1(Matrices.dense(2, 2, Array(1, 3, 2, 4))), Tuple1(Matrices.dense(2, 2, Array(1, 3, 2, 4)).toSparse))
        .toDF("m")
    assert(matrix.select(m(col("m"))).as[Seq[Seq[Double]]].collect().toSet == Set(Seq(Seq(2.0, 4.0), Seq(6.0, 8.0))))
    val v = TestModels.doubled(DType.Float32, Seq(-1, 3))
    val vectors = Seq(Tuple1(Vectors.dense(1, 2, 3)), Tuple1(Vectors.sparse(3, Array(1), Array(5.0)))).toDF("v")
    assert(vectors.select(v(col("v"))).as[Seq[Float]].collect().toSeq == Seq(Seq(2f, 4f, 6f), Seq(0f, 10f, 0f)))
    val short = Seq(Tuple1(Vectors.dense(1, 2))).toDF("v")
    assert(
      intercept[SparkException](short.select(v(col("v"))).collect()).getMessage
        .contains("expected 3 elements in dimension 1, got 2")
    )
  }

  test("rows of different lengths are run in batches of equal length, in their order") {
    val rows = (0 until 50).map(i => (i, Seq.fill(1 + i / 5 % 3)(i.toFloat)))
    val df = rows.toDF("id", "a").coalesce(1)
    val out = df
      .select(col("id"), TestModels.doubled(DType.Float32, Seq(-1, -1))(col("a")) as "b")
      .as[(Int, Seq[Float])]
      .collect()
    assert(out.toSeq == rows.map { case (i, a) => (i, a.map(_ * 2)) })
  }

  test("every column type goes through its tensor and back") {
    val df = Seq((true, 1.toByte, 2.toShort, 3, 4L, 5f, 6.0, "seven", "8".getBytes, BigDecimal(9))).toDF(
      "bool",
      "byte",
      "short",
      "int",
      "long",
      "float",
      "double",
      "string",
      "binary",
      "decimal"
    )
    def through(column: String, dtype: DType): Any =
      df.select(TestModels.identity(dtype, Seq(-1))(col(column))).head().get(0)
    assert(through("bool", DType.Bool) == true)
    assert(through("byte", DType.Int8) == 1 && through("byte", DType.Int64) == 1L)
    assert(through("short", DType.Int16) == 2 && through("short", DType.UInt8) == 2)
    assert(through("int", DType.Int32) == 3 && through("int", DType.Float32) == 3f)
    assert(through("long", DType.Int64) == 4L && through("long", DType.Float64) == 4.0)
    assert(through("float", DType.Float32) == 5f && through("double", DType.Float32) == 6f)
    assert(through("string", DType.Str) == "seven" && through("binary", DType.Str) == "8")
    assert(through("decimal", DType.Float64) == 9.0)
    val nested = Seq(Seq(Seq("a", "bc"), Seq("", "a string that is longer than 22 bytes"))).toDF("s")
    assert(
      nested.select(TestModels.identity(DType.Str, Seq(-1, 2, 2))(col("s"))).as[Seq[Seq[String]]].head() == nested
        .as[Seq[Seq[String]]]
        .head()
    )
  }

  test("outputs of every dtype become columns by the table, half floats and unsigned integers widened") {
    val df = Seq(-1.5f, 0f, 200f, 65504f, 3e-6f).toDF("x").coalesce(1)
    def cast(to: DType): Seq[Any] = {
      val m = TestModels.load(
        s"to_$to",
        Nil,
        _.placeholder("x", DType.Float32, Seq(-1L))
          .node("Cast", "y", Seq("x"), Map("SrcT" -> DType.Float32, "DstT" -> to))
      )
      df.select(m(col("x"))).collect().map(_.get(0)).toSeq
    }
    assert(cast(DType.Float16) == Seq(-1.5f, 0f, 200f, 65504f, 2.9802322e-6f)) // the last is 50 * 2^-24, a subnormal
    assert(cast(DType.BFloat16) == Seq(-1.5f, 0f, 200f, 65536f, 2.9951334e-6f))
    assert(cast(DType.UInt8).slice(1, 3) == Seq(0, 200) && cast(DType.UInt16)(3) == 65504)
    assert(cast(DType.UInt32)(3) == 65504L && cast(DType.UInt64)(2) == new java.math.BigDecimal(200))
    assert(cast(DType.Int8)(0) == -1.toByte && cast(DType.Int16)(2) == 200.toShort)
    assert(cast(DType.Bool) == Seq(true, false, true, true, true))
  }

  test("an output without one entry per row is an error that names it") {
    val m = TestModels.load(
      "mixed",
      Nil,
      _.placeholder("x", DType.Float32, Seq(-1L)).node("Shape", "y", Seq("x"), Map("T" -> DType.Float32))
    )
    val e = intercept[SchemaMismatchException](numbers.select(m(col("x"))))
    assert(e.getMessage.contains("Output 'y' of model 'mixed' is int32 [1]: its first dimension is 1"))
  }

  test("where there is no memory for a tensor, the error names the model, what it needs and the setting") {
    val more = Map("T" -> DType.Int64, "Tidx" -> DType.Int32, "N" -> 2L)
    val model = TestModels.load(
      "huge",
      Nil,
      _.placeholder("x", DType.Float32, Seq(-1L))
        .node("Shape", "rows", Seq("x"), Map("T" -> DType.Float32, "out_type" -> DType.Int64))
        .const("columns", DType.Int64, Seq(math.pow(2, 46))) // 256 TB of numbers: more than there are addresses
        .const("axis", DType.Int32, Seq(0), vector = false)
        .node("ConcatV2", "dims", Seq("rows", "columns", "axis"), more)
        .const("zero", DType.Float32, Seq(0), vector = false)
        .node("Fill", "filled", Seq("dims", "zero"), Map("T" -> DType.Float32, "index_type" -> DType.Int64))
        .const("last", DType.Int32, Seq(1))
        .node("Sum", "y", Seq("filled", "last"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
    )
    val e = intercept[Exception](spark.range(1).select(model(col("id").cast("float"))).collect())
    val text = Iterator.iterate[Throwable](e)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("\n")
    assert(text.contains("There was no memory for a tensor. Model 'huge' has "), text)
    assert(
      text.contains("set spark.executor.memoryOverhead=") && text.contains("or run fewer rows at a time (batchSize)")
    )
  }

  test("wrong types, ranks and columns are refused on the driver, with expected and received") {
    val m = TestModels.doubled(DType.Int32, Seq(-1, 2))
    def message(c: String, df: DataFrame) = intercept[SchemaMismatchException](df.select(m(col(c)))).getMessage
    assert(
      message("x", numbers).contains("column 'x' to input 'x' of model 'doubled': expected int32 [?, 2], got float")
    )
    assert(message("id", numbers).contains("columns that can be fed to int32: tinyint, smallint, int"))
    assert(
      message("a", Seq(Seq(Seq(1))).toDF("a"))
        .contains("a row of the input has 1 dimensions, a value of the column has 2")
    )
    assert(intercept[SchemaMismatchException](numbers.select(m())).getMessage.contains("1 input(s)"))
    assert(intercept[SchemaMismatchException](m.select("nope")).getMessage.contains("It has: y: int32 [?, 2]"))
  }

  test("two inputs, fed from two columns") {
    val df = Seq((1.0, 10.0), (2.0, 20.0)).toDF("a", "b")
    assert(df.select(TestModels.sum()(col("a"), col("b"))).as[Double].collect().toSeq == Seq(11.0, 22.0))
  }

  test("empty DataFrames and empty partitions give empty results") {
    val m = TestModels.doubled()
    assert(numbers.filter("id < 0").select(m(col("x"))).collect().isEmpty)
    assert(numbers.filter("id = 5").repartition(4).select(m(col("x"))).as[Float].collect().toSeq == Seq(10f))
  }

  test("higher-order functions stand in a model's inputs, but a model cannot stand in them") {
    val m = TestModels.doubled(DType.Float32, Seq(-1, 2))
    val df = numbers.select(array(col("x"), col("x") + 1) as "a")
    assert(df.select(m(transform(col("a"), _ + 1f))).as[Seq[Float]].collect()(2) == Seq(6f, 8f))
    val e = intercept[SchemaMismatchException](df.select(transform(col("a"), x => TestModels.doubled()(x))).collect())
    assert(e.getMessage.contains("higher-order function") && e.getMessage.contains("explode"))
  }

  test("a function is listed and described") {
    TestModels.doubled().register(spark, "twice")
    assert(spark.sql("SHOW USER FUNCTIONS").as[String].collect().exists(_.endsWith("twice")))
    assert(spark.sql("DESCRIBE FUNCTION twice").as[String].collect().mkString.contains("model 'doubled'"))
  }

  test("a model works in another session, in a view and in a stream") {
    TestModels.doubled().register(spark, "twice")
    numbers.createOrReplaceTempView("numbers")
    spark.sql("CREATE OR REPLACE TEMP VIEW doubled AS SELECT id, twice(x) AS y FROM numbers")
    assert(spark.table("doubled").agg(sum("y")).head().getDouble(0) == 9900.0)
    val other = spark.newSession()
    val m = TestModels.doubled()
    assert(other.range(3).select(m(col("id").cast("float"))).collect().toSeq == Seq(Row(0f), Row(2f), Row(4f)))
    implicit val session: org.apache.spark.sql.SparkSession = spark
    val input = SparkStreams.MemoryStream[Float]
    val query =
      input.toDF().select(m(col("value")) as "y").writeStream.format("memory").queryName("doubled_stream").start()
    try {
      input.addData(1f, 2f); query.processAllAvailable()
      input.addData(3f); query.processAllAvailable()
      assert(spark.table("doubled_stream").as[Float].collect().sorted.toSeq == Seq(2f, 4f, 6f))
    } finally query.stop()
  }
}
