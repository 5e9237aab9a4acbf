package org.sparkdl.tensorframes

import java.util.concurrent.{Callable, Executors}

import scala.jdk.CollectionConverters._

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.{Matrices, Vectors}
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.functions._

import org.sparkdl.{Sessions, Settings}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, SparkSuite}
import org.sparkdl.testing.SparkStreams.MemoryStream

class MappingSuite extends SparkSuite with Operators {
  import spark.implicits._

  private lazy val numbers: DataFrame = spark.range(0, 10, 1, 2).select(col("id").cast("double") as "x")
  private val floats = Map("T" -> DType.Float64)

  /** The running sum of a block. */
  private def cumulated(cell: Long*): Program = TestPrograms.of("c")(
    _.placeholder("x", DType.Float64, -1L +: cell)
      .const("axis", DType.Int32, Seq(0), vector = false)
      .node("Cumsum", "c", Seq("x", "axis"), floats + ("Tidx" -> DType.Int32))
  )

  /** The sum of a block, one row. */
  private val total: Program = TestPrograms.of("t")(
    _.placeholder("x", DType.Float64, TestPrograms.Rows)
      .const("axis", DType.Int32, Seq(0))
      .node("Sum", "t", Seq("x", "axis"), floats ++ Map("Tidx" -> DType.Int32, "keep_dims" -> true))
  )

  private def messages(e: Throwable): String =
    Iterator.iterate(e)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("; ")

  test("mapBlocks gives the outputs in the order of their names, then all columns") {
    val program = TestPrograms.of("w", "a")(
      _.placeholder("x", DType.Float64, TestPrograms.Rows)
        .node("AddV2", "w", Seq("x", "x"), floats)
        .node("Mul", "a", Seq("x", "x"), floats)
    )
    val df = numbers.withColumn("text", lit("t")).mapBlocks(program)
    assert(df.columns.toSeq == Seq("a", "w", "x", "text"))
    assert(df.collect().toSeq == (0 until 10).map(i => Row(1.0 * i * i, 2.0 * i, 1.0 * i, "t")))
    assert(!df.schema("a").nullable)
  }

  test("rows of a block see each other, and the block size is what is asked for") {
    val df = spark.range(0, 5, 1, 1).select(lit(1.0) as "x")
    def sums(options: BlockOptions) = df.mapBlocks(cumulated(), options).select("c").as[Double].collect().toSeq
    assert(sums(BlockOptions().withBlockRows(2)) == Seq(1, 2, 1, 2, 1))
    assert(sums(BlockOptions().withWholePartitions()) == Seq(1, 2, 3, 4, 5))
    assert(sums(BlockOptions()) == Seq(1, 2, 3, 4, 5), "five rows fit the default memory of a block")
    assert(sums(BlockOptions().withBlockMemory(1)) == Seq(1, 1, 1, 1, 1))
  }

  test("placeholders are fed from columns of other names, with dots too, and one column may feed several") {
    val df = Seq((1.0, 10.0)).toDF("a.b", "X")
    assert(df.mapBlocks(TestPrograms.sum().feed("y", "a.b")).select("z").head() == Row(11.0), "case does not matter")
    assert(df.mapBlocks(TestPrograms.sum().feed("x:0", "a.b").feed("y", "a.b")).select("z").head() == Row(2.0))
    assert(df.mapRows(TestPrograms.sum(Nil).feed("y", "a.b")).select("z").head() == Row(11.0))
  }

  test("only the placeholders that the fetches need count, and one with a default may be fed or not") {
    val program = TestPrograms.of("z") _
    val graph = program(
      _.placeholder("x", DType.Float64, TestPrograms.Rows)
        .placeholder("unused", DType.Str)
        .node("AddV2", "d", Seq("unused", "unused"), Map("T" -> DType.Str))
        .tensor("one", DType.Float64, Seq(1), Seq(1.0))
        .node("PlaceholderWithDefault", "y", Seq("one"), Map("dtype" -> DType.Float64, "shape" -> Seq(-1L)))
        .node("AddV2", "z", Seq("x", "y"), floats)
    )
    assert(
      Seq(1.0, 2.0).toDF("x").coalesce(1).mapBlocks(graph).select("z").as[Double].collect().toSeq == Seq(2.0, 3.0)
    )
    assert(Seq((1.0, 5.0)).toDF("x", "c").mapBlocks(graph.feed("y", "c")).select("z").head() == Row(6.0))
    val arrays = Seq((Seq(1.0, 2.0), Seq(5.0, 6.0))).toDF("x", "c")
    assert(arrays.mapRows(graph.feed("y", "c")).select("z").head() == Row(Seq(6.0, 8.0)))
  }

  test("trimmed maps give their outputs only, one run per block, also without placeholders") {
    val sums = numbers.mapBlocksTrimmed(total)
    assert(sums.columns.toSeq == Seq("t") && sums.collect().toSeq == Seq(Row(10.0), Row(35.0)))
    val constant = TestPrograms.of("k")(_.const("k", DType.Float32, Seq(1, 2)))
    assert(numbers.mapBlocksTrimmed(constant).collect().toSeq == Seq(1, 2, 1, 2).map(i => Row(i.toFloat)))
    assert(numbers.withColumn("t", lit(1)).mapBlocksTrimmed(total).columns.toSeq == Seq("t"), "names may exist")
  }

  test("an output with another number of rows than its block ends the job with the remedy") {
    val shorter = TestPrograms.of("z")(
      _.placeholder("x", DType.Float64, TestPrograms.Rows)
        .placeholder("keep", DType.Bool, TestPrograms.Rows)
        .const("axis", DType.Int32, Seq(0), vector = false)
        .node("Where", "places", Seq("keep"), Map("T" -> DType.Bool))
        .node(
          "GatherV2",
          "z",
          Seq("x", "places", "axis"),
          Map("Tparams" -> DType.Float64, "Tindices" -> DType.Int64, "Taxis" -> DType.Int32)
        )
    )
    val df = numbers.withColumn("keep", col("x") > 2)
    assert(messages(intercept[SparkException](df.mapBlocks(shorter).collect())).contains("trim=True"))
    assert(df.mapBlocksTrimmed(shorter).count() == 7)
  }

  test("mapRows gives each row the same where the program needs no column") {
    val program = TestPrograms.of("z")(_.const("z", DType.Float32, Seq(1, 2)))
    val out = numbers.withColumn("sparkdl_row", lit("kept")).mapRows(program)
    assert(out.columns.toSeq == Seq("z", "x", "sparkdl_row"))
    assert(out.collect().toSeq == (0 until 10).map(i => Row(Seq(1.0f, 2.0f), 1.0 * i, "kept")))
  }

  test("mapRows runs a program that is written for one row") {
    val df = Seq(Seq(1.0, 2.0), Seq(3.0), Seq(), Seq(4.0, 5.0)).toDF("x").coalesce(1)
    val out = df.mapRows(TestPrograms.doubled(shape = Seq(-1L)))
    assert(out.columns.toSeq == Seq("z", "x"))
    assert(out.select("z").as[Seq[Double]].collect().toSeq == Seq(Seq(2.0, 4.0), Seq(6.0), Seq(), Seq(8.0, 10.0)))
    val sums = df.mapRows(TestPrograms.blockSum("x", "s")).select("s")
    assert(sums.as[Double].collect().toSeq == Seq(3.0, 3.0, 0.0, 9.0), "a row's array is summed, not the rows")
    assert(numbers.mapRows(TestPrograms.doubled(shape = Nil)).select("z").as[Double].collect().sum == 90)
  }

  test("outputs carry what the graph knows of their shapes") {
    val df = Seq((Seq(1.0, 2.0), 1.0)).toDF("x", "n")
    assert(
      ColumnTensors.of(df.mapBlocks(TestPrograms.doubled(shape = Seq(-1L, 2L))).schema("z")).get.shape.get == Seq(
        -1,
        2
      )
    )
    val refined = df.appendShape("x", Array(-1, 2)).mapRows(TestPrograms.doubled(shape = Seq(-1L)))
    assert(
      ColumnTensors.of(refined.schema("z")).get.shape.get == Seq(-1, 2),
      "the column's shape goes through the graph"
    )
    assert(refined.explainTensors().contains(" |-- z: array (nullable = false) double[?,2]"))
  }

  test("a column that does not have the shape of its metadata is an error, not a wrong answer") {
    val df = Seq(Seq(1.0, 2.0, 3.0)).toDF("x").appendShape("x", Array(-1, 2))
    val program = TestPrograms.doubled(shape = Seq(-1L, -1L))
    assert(
      messages(intercept[SparkException](df.mapBlocks(program).collect()))
        .contains("expected 2 elements in dimension 1, got 3")
    )
  }

  test("vectors, matrices and arrays of rank 3") {
    val df = Seq((Vectors.dense(1, 2), Matrices.dense(2, 2, Array(1, 2, 3, 4)), Seq(Seq(Seq(1, 2)), Seq(Seq(3, 4)))))
      .toDF("v", "m", "a")
    val v = df.mapBlocks(TestPrograms.doubled(shape = Seq(-1L, -1L)).feed("x", "v"))
    assert(v.select("z").head() == Row(Seq(2.0, 4.0)))
    val m = df.mapRows(TestPrograms.doubled(shape = Seq(2L, 2L)).feed("x", "m"))
    assert(m.select("z").head() == Row(Seq(Seq(2.0, 6.0), Seq(4.0, 8.0))), "matrices are row-major")
    val a = df.mapBlocks(TestPrograms.doubled(DType.Int32, Seq(-1L, -1L, -1L, -1L)).feed("x", "a"))
    assert(a.select("z").head() == Row(Seq(Seq(Seq(2, 4)), Seq(Seq(6, 8)))))
  }

  test("strings and binary go in and out") {
    val upper = TestPrograms.of("u")(
      _.placeholder("s", DType.Str, TestPrograms.Rows).node("StringUpper", "u", Seq("s"), Map("encoding" -> "utf-8"))
    )
    val df = Seq(("gr\u00fcn", "ab".getBytes), ("", "c".getBytes)).toDF("s", "b").coalesce(1)
    assert(df.mapBlocks(upper).select("u").as[String].collect().toSeq == Seq("GR\u00dcN", ""))
    assert(df.mapBlocks(upper.feed("s", "b")).select("u").as[String].collect().toSeq == Seq("AB", "C"))
    val row = TestPrograms.of("u")(
      _.placeholder("s", DType.Str, Nil).node("StringUpper", "u", Seq("s"), Map("encoding" -> "utf-8"))
    )
    assert(df.mapRows(row).select("u").as[String].collect().toSeq == Seq("GR\u00dcN", ""))
  }

  test("every number type of Spark, and bytes as uint8") {
    val types =
      Seq("tinyint" -> DType.Int8, "smallint" -> DType.Int16, "int" -> DType.Int32, "bigint" -> DType.Int64) ++
        Seq("float" -> DType.Float32, "double" -> DType.Float64, "boolean" -> DType.Bool)
    types.foreach { case (sql, dtype) =>
      val df = numbers.select(col("x").cast(sql) as "x").mapBlocks(TestPrograms.identity(dtype, TestPrograms.Rows))
      assert(df.schema("y").dataType == df.schema("x").dataType && df.filter("y = x").count() == 10, sql)
    }
    val bytes = Seq(Array[Byte](1, -1)).toDF("x").mapBlocks(TestPrograms.identity(DType.UInt8, Seq(-1L, -1L)))
    assert(bytes.select("y").head() == Row(Seq(1, 255)))
    assert(Seq(200).toDF("x").mapRows(TestPrograms.identity(DType.UInt8, Nil)).select("y").head() == Row(200))
  }

  test("a null is an error that names the column, or its row is left out") {
    val df = Seq(Some(1.0), None, Some(3.0)).toDF("x").coalesce(1)
    Seq[BlockOptions => DataFrame](
      df.mapBlocks(cumulated(), _).select("c"),
      df.mapRows(TestPrograms.doubled(shape = Nil), _).select("z"),
      df.mapBlocksTrimmed(total, _)
    ).zip(Seq(Seq(1.0, 4.0), Seq(2.0, 6.0), Seq(4.0))).foreach { case (made, expected) =>
      val e = messages(intercept[SparkException](made(BlockOptions()).collect()))
      assert(e.contains("column 'x'") && e.contains("null") && e.contains("handleInvalid"))
      val skipped = made(BlockOptions().withHandleInvalid("skip"))
      assert(skipped.as[Double].collect().toSeq == expected)
    }
  }

  test("nothing runs before an action, and the operator stands in the plan under the program's name") {
    val touched = spark.sparkContext.longAccumulator
    val count = udf { (x: Double) => touched.add(1); x }
    val source = numbers.select(count(col("x")) as "x")
    val made =
      source.mapBlocks(TestPrograms.doubled()).mapRows(TestPrograms.identity(DType.Float64, Nil).feed("x", "z"))
    assert(touched.value == 0)
    assert(made.count() == 10)
    val plan = made.queryExecution.executedPlan.toString
    assert(plan.contains("z (map_blocks)") && plan.contains("y (map_rows)"))
  }

  test("maps work on streams") {
    implicit val session: SparkSession = spark
    val input = MemoryStream[Double](1)
    val mapped = input
      .toDF()
      .toDF("x")
      .mapBlocks(TestPrograms.doubled())
      .mapRows(
        TestPrograms.identity(DType.Float64, Nil).feed("x", "z")
      )
    val query = mapped.writeStream.format("memory").queryName("tensorframes_stream").start()
    try {
      input.addData(1.0, 2.0)
      query.processAllAvailable()
      input.addData(3.0)
      query.processAllAvailable()
      assert(
        spark.table("tensorframes_stream").orderBy("x").collect().toSeq == (1 to 3).map(i =>
          Row(2.0 * i, 2.0 * i, 1.0 * i)
        )
      )
    } finally query.stop()
  }

  test("many threads with their own programs, and all with the same one") {
    val shared = TestPrograms.doubled()
    val pool = Executors.newFixedThreadPool(8)
    try {
      val tasks = (1 to 24).map { i =>
        val task: Callable[Boolean] = () => {
          val program =
            if (i % 2 == 0) shared
            else
              TestPrograms.of("z")(
                _.placeholder("x", DType.Float64, TestPrograms.Rows)
                  .tensor("k", DType.Float64, Nil, Seq(i.toDouble))
                  .node("Mul", "z", Seq("x", "k"), floats)
              )
          val factor = if (i % 2 == 0) 2.0 else i.toDouble
          numbers.mapBlocks(program).filter(col("z") === col("x") * factor).count() == 10
        }
        task
      }
      assert(pool.invokeAll(tasks.asJava).asScala.forall(_.get()))
    } finally pool.shutdown()
  }

  test("a program loads TensorFlow as its session is set") {
    assert(!spark.sparkContext.isStopped)
    val conf = Sessions.current.conf
    conf.set(Settings.nativeDir.key, "/somewhere/native")
    try assert(TestPrograms.doubled().graph.runtime.directory == "/somewhere/native")
    finally conf.unset(Settings.nativeDir.key)
  }
}
