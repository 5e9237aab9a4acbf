package org.sparkdl.merging

import scala.util.Random

import org.apache.spark.SparkException
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.sparkdl.execution.ReduceExec
import org.apache.spark.sql.sparkdl.nodes.MergedFrames

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.errors.{InvalidInputException, ModelExecutionException, SchemaMismatchException, SparkDLException}
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, SparkSuite, TestReductions}

class ReductionSuite extends SparkSuite with Operators {
  import spark.implicits._

  private def merged(df: DataFrame, reduction: Reduction): DataFrame =
    MergedFrames.reduce(df, reduction, reduction.columns)
  private def one(df: DataFrame, reduction: Reduction): Row = {
    val rows = merged(df, reduction).collect()
    assert(rows.length == 1)
    rows.head
  }
  private def caused[T <: Throwable](error: Throwable)(implicit tag: scala.reflect.ClassTag[T]): T =
    Iterator.iterate(error)(_.getCause).takeWhile(_ != null).collectFirst { case e: T => e }.getOrElse(throw error)

  private lazy val numbers: DataFrame = spark.range(0, 1000, 1, 7).select(col("id").cast("double") as "x")

  test("all rows of all partitions become one") {
    assert(one(numbers, TestReductions.sum("x")) == Row(999.0 * 500))
    assert(one(numbers, TestReductions.withoutMany(TestReductions.sum("x"))) == Row(999.0 * 500))
  }

  test("several columns are merged at once, each into its own output") {
    val df = numbers.select(col("x"), -col("x") as "y", col("x") as "unused")
    val reduction = TestReductions.blocks(Seq("y" -> "Min", "x" -> "Sum"))
    assert(merged(df, reduction).columns.toSeq == Seq("y", "x"))
    assert(one(df, reduction) == Row(-999.0, 999.0 * 500))
  }

  test("outputs may depend on several inputs: a mean with its count") {
    val df = numbers.select(col("x") as "m", lit(1.0) as "n")
    assert(one(df, TestReductions.mean) == Row(499.5, 1000.0))
  }

  test("the result of one row is the row, that of no rows is no row, and empty partitions add nothing") {
    val few = numbers.filter("x = 20 OR x = 900")
    assert(one(few, TestReductions.sum("x")) == Row(920.0))
    val single = merged(numbers.filter("x = 20").select(col("x").cast("float") as "x"), TestReductions.sum("x"))
    assert(single.collect().toSeq == Seq(Row(20.0)), "as the dtype that the program takes")
    assert(merged(numbers.filter("x < 0"), TestReductions.sum("x")).collect().isEmpty)
    assert(merged(spark.emptyDataFrame.select(lit(1.0) as "x"), TestReductions.sum("x")).collect().isEmpty)
  }

  test("rows are merged in their order, also through a tree over many partitions") {
    val words = (0 until 500).map(_.toString)
    Seq(1, 3, 40, 100).foreach { partitions =>
      val df = spark.sparkContext.parallelize(words, partitions).toDF("s")
      assert(one(df, TestReductions.join("s")) == Row(words.mkString), s"$partitions partitions")
      assert(one(df, TestReductions.joinPairs("s")) == Row(words.mkString), s"$partitions partitions")
    }
  }

  test("matrices are multiplied in the order of the rows") {
    val random = new Random(1)
    val matrices = Seq.fill(101)(Seq.fill(2)(Seq.fill(2)(random.nextInt(3) - 1.0)))
    val expected = matrices.reduce((a, b) => Seq.tabulate(2, 2)((i, j) => a(i)(0) * b(0)(j) + a(i)(1) * b(1)(j)))
    val df = spark.sparkContext.parallelize(matrices, 5).toDF("a")
    assert(one(df, TestReductions.product("a")).getSeq[Seq[Double]](0) == expected)
  }

  test("cells of any rank are merged, and their dimensions need not be known before") {
    val df = numbers.select(array(array(col("x"), lit(1.0)), array(lit(2.0), -col("x"))) as "a")
    Seq(Seq(2L, 2L), Seq(-1L, -1L)).foreach { cell =>
      val sum = one(df, TestReductions.sum("a", cell)).getSeq[Seq[Double]](0)
      assert(sum == Seq(Seq(499500.0, 1000.0), Seq(2000.0, -499500.0)))
    }
  }

  test("vectors of different lengths are merged pair by pair where the program takes them") {
    val parts = (0 until 20).map(i => Seq.fill(i % 4)(i.toDouble))
    val df = spark.sparkContext.parallelize(parts, 3).toDF("v")
    assert(one(df, TestReductions.concat("v")).getSeq[Double](0) == parts.flatten)
  }

  test("other dtypes are merged as they are") {
    val df = spark.range(0, 100, 1, 3).select(col("id").cast("int") as "i")
    assert(one(df, TestReductions.blocks(Seq("i" -> "Max"), DType.Int32)) == Row(99))
    val bytes = Seq(Array[Byte](97), Array[Byte](98, 0), Array[Byte](99)).toDF("b")
    assert(one(bytes, TestReductions.join("b")).getString(0) == "ab\u0000c")
  }

  test("a small budget and a small block give the same result") {
    val whole = one(numbers, TestReductions.sum("x"))
    val blocks =
      Seq(BlockSize.Rows(1), BlockSize.Rows(7), BlockSize.Memory(1), BlockSize.Memory(800), BlockSize.Partition)
    blocks.foreach(b => assert(one(numbers, TestReductions.sum("x").copy(block = b)) == whole, b))
    val words = (0 until 300).map(_.toString)
    val df = spark.sparkContext.parallelize(words, 4).toDF("s")
    blocks.foreach(b => assert(one(df, TestReductions.join("s").copy(block = b)) == Row(words.mkString), b))
  }

  test("a block of a number of rows is what one run sees") {
    val counted = merged(numbers.coalesce(1), TestReductions.sum("x").copy(block = BlockSize.Rows(10)))
    assert(counted.collect().toSeq == Seq(Row(999.0 * 500)))
    assert(batches(counted) == 3, "100 blocks of 10 rows in one run, then 10, then 1")
  }

  private def batches(df: DataFrame): Long =
    collect(df.queryExecution.executedPlan) { case e: ReduceExec => e.metrics("batches").value }.sum

  test("a null is an error that names column and partition, or its row is left out") {
    val df = spark.sparkContext.parallelize(Seq(Some(1.0), None, Some(3.0)), 3).toDF("x")
    val error =
      caused[InvalidInputException](intercept[SparkException](merged(df, TestReductions.sum("x")).collect()))
    assert(error.getMessage.contains("Cannot feed column 'x' to input 'x_input' of program 'Sum': the value is null"))
    assert(error.getMessage.contains("in row 0 (counted from 0) of partition 1"))
    assert(error.getMessage.contains("set handleInvalid to 'skip'"))
    val skipping = TestReductions.sum("x").copy(handleInvalid = HandleInvalid.Skip)
    assert(one(df, skipping) == Row(4.0))
    assert(merged(df.filter("x IS NULL"), skipping).collect().isEmpty)
  }

  test("a row that one column refuses leaves nothing in the others") {
    val rows = Seq((Seq(1.0), Seq(Some(1.0))), (Seq(2.0), Seq(None)), (Seq(4.0), Seq(Some(5.0))))
    val reduction = TestReductions.blocks(Seq("a" -> "Sum", "b" -> "Sum"), cell = Seq(-1L))
    val skipping = reduction.copy(handleInvalid = HandleInvalid.Skip)
    assert(one(rows.toDF("a", "b").coalesce(1), skipping) == Row(Seq(5.0), Seq(6.0)))
    val words = Seq(("a", Some("b")), ("c", None), ("d", Some("e"))).toDF("s", "t").coalesce(1)
    val joins = TestReductions.joins(Seq("s", "t")).copy(handleInvalid = HandleInvalid.Skip)
    assert(one(words, joins) == Row("ad", "be"))
  }

  test("shapes that cannot be merged are refused with both") {
    val within = Seq(Seq(1.0), Seq(1.0, 2.0)).toDF("a").coalesce(1)
    val across = spark.sparkContext.parallelize(Seq(Seq(1.0), Seq(1.0, 2.0)), 2).toDF("a")
    Seq(within, across).foreach { df =>
      val failed = intercept[SparkException](merged(df, TestReductions.sum("a", Seq(-1L))).collect())
      val message = caused[InvalidInputException](failed).getMessage
      assert(message.contains("column 'a'") && message.contains("[1]") && message.contains("[2]"), message)
    }
    val words = Seq(Seq("a"), Seq("b", "c")).toDF("a").coalesce(1)
    val joins = TestReductions.joins(Seq("a"), Seq(-1L))
    val message = caused[InvalidInputException](intercept[SparkException](merged(words, joins).collect())).getMessage
    assert(message.contains("[1] and [2]"), message)
    val known = intercept[SparkException](merged(within, TestReductions.sum("a", Seq(1L))).collect())
    assert(caused[InvalidInputException](known).getMessage.contains("expected 1 elements in dimension 1, got 2"))
  }

  test("a program whose result has another shape than a row is refused") {
    val df = Seq(Seq(1.0), Seq(2.0)).toDF("v").coalesce(1)
    val concat = TestReductions.concat("v").step.asInstanceOf[ReduceStep.Pairs].copy(oneByOne = false)
    val failed = intercept[SparkException](merged(df, TestReductions.concat("v").copy(step = concat)).collect())
    val message = caused[ModelExecutionException](failed).getMessage
    assert(message.contains("merged rows of column 'v' into float64 [1, 2]: expected float64 [1, 1]"), message)
  }

  test("columns that cannot be fed are refused on the driver") {
    val error = intercept[SchemaMismatchException](merged(Seq("a").toDF("x"), TestReductions.sum("x")))
    assert(error.getMessage.contains("Cannot feed column 'x'") && error.getMessage.contains("float64"))
  }

  test("a stream is refused") {
    val stream = spark.readStream.format("rate").load().select(col("value").cast("double") as "x")
    val error = intercept[SparkDLException](merged(stream, TestReductions.sum("x")))
    assert(error.getMessage.contains("a stream has no last row"))
  }

  test("the plan shows the node, and only the columns that are merged are read") {
    val path = java.nio.file.Files.createTempDirectory("sparkdl-reduce-").resolve("wide").toString
    numbers.select(col("x"), col("x") as "y", lit("z") as "z").write.parquet(path)
    val df = merged(spark.read.parquet(path), TestReductions.sum("x"))
    assert(df.collect().toSeq == Seq(Row(999.0 * 500)))
    val plan = df.queryExecution.executedPlan.toString
    assert(plan.contains("EvalModel reduce Sum"), plan)
    assert(plan.contains("ReadSchema: struct<x:double>"), plan)
  }

  test("repeated and concurrent reductions of doubles give the same bits") {
    val random = new Random(2)
    val df = spark.sparkContext.parallelize(Seq.fill(5000)(random.nextGaussian()), 37).toDF("x").cache()
    val expected = one(df, TestReductions.sum("x"))
    val threads = java.util.concurrent.Executors.newFixedThreadPool(8)
    try {
      val all = (0 until 16).map(_ => threads.submit(() => one(df, TestReductions.sum("x"))))
      all.foreach(f => assert(f.get() == expected))
    } finally { threads.shutdown(); df.unpersist(); () }
  }
}
