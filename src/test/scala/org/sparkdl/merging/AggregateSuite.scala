package org.sparkdl.merging

import scala.util.Random

import org.apache.spark.SparkException
import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.apache.spark.sql.RelationalGroupedDataset
import org.apache.spark.sql.functions._
import org.apache.spark.sql.sparkdl.execution.{AggregateExec, PartialAggregateExec}
import org.apache.spark.sql.sparkdl.nodes.MergedFrames

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.errors.{InvalidInputException, SparkDLException}
import org.sparkdl.testing.{Operators, SparkSuite, TestReductions}

class AggregateSuite extends SparkSuite with Operators {
  import spark.implicits._

  private val sum = TestReductions.sum("x")
  private def merged(grouped: RelationalGroupedDataset, reduction: Reduction = sum): DataFrame =
    MergedFrames.aggregate(grouped, reduction, reduction.columns)
  private def sorted(df: DataFrame): Seq[Row] = df.collect().toSeq.sortBy(_.toString)
  private def texts(df: DataFrame): Seq[String] = df.collect().toSeq.map(_.toString).sorted // where NaN is one
  private def withConf[T](pairs: (String, String)*)(body: => T): T = {
    val before = pairs.map { case (k, _) => k -> spark.conf.getOption(k) }
    pairs.foreach { case (k, v) => spark.conf.set(k, v) }
    try body
    finally before.foreach { case (k, v) => v.fold(spark.conf.unset(k))(spark.conf.set(k, _)) }
  }

  private lazy val rows: DataFrame =
    spark.range(0, 10000, 1, 7).select(col("id") % 13 as "k", col("id").cast("double") as "x")

  test("the rows of each key become one, as Spark's own sum has it, with adaptive execution and without") {
    Seq("true", "false").foreach { adaptive =>
      withConf("spark.sql.adaptive.enabled" -> adaptive) {
        val df = merged(rows.groupBy("k"))
        assert(df.columns.toSeq == Seq("k", "x"))
        assert(sorted(df) == sorted(rows.groupBy("k").agg(org.apache.spark.sql.functions.sum("x"))))
      }
    }
  }

  test("a program whose graph cannot be run for several groups is run group by group") {
    assert(sorted(merged(rows.groupBy("k"), TestReductions.withoutMany(sum))) == sorted(merged(rows.groupBy("k"))))
  }

  test("many outputs, keys and cells of any rank") {
    val df = rows.select(col("k") % 2 as "a", col("k").cast("string") as "b", col("x") as "m", lit(1.0) as "n")
    val expected = df.groupBy("a", "b").agg(avg("m"), org.apache.spark.sql.functions.sum("n"))
    assert(sorted(merged(df.groupBy("a", "b"), TestReductions.mean)) == sorted(expected))
    val vectors = rows.select(col("k"), array(array(col("x")), array(lit(1.0))) as "x")
    val sums = merged(vectors.groupBy("k"), TestReductions.sum("x", Seq(-1L, -1L)))
    val plain =
      rows.groupBy("k").agg(array(array(org.apache.spark.sql.functions.sum("x")), array(count("*").cast("double"))))
    assert(sorted(sums) == sorted(plain))
  }

  test("rows of a key are merged in their order, whatever order the shuffle brings them in") {
    val words = (0 until 3000).map(i => (i % 17, s"$i "))
    val expected = words.groupBy(_._1).map { case (k, rows) => k -> rows.map(_._2).mkString }
    Seq(1, 5, 50).foreach { partitions =>
      val df = spark.sparkContext.parallelize(words, partitions).toDF("k", "s")
      Seq(TestReductions.join("s"), TestReductions.joinPairs("s")).foreach { reduction =>
        Seq(BlockSize.Memory(1 << 20), BlockSize.Memory(20), BlockSize.Rows(3), BlockSize.Partition).foreach {
          block =>
            val found = merged(df.groupBy("k"), reduction.copy(block = block)).as[(Int, String)].collect().toMap
            assert(found == expected, s"${reduction.name} $block $partitions")
        }
      }
    }
  }

  test("random keys of random sizes, against plain Scala") {
    val random = new Random(3)
    (0 until 5).foreach { round =>
      val spread = Seq(2, 50, 3000)(round % 3)
      val data = Seq.fill(4000)((math.abs(random.nextGaussian() * spread).toInt, random.nextInt(100).toDouble))
      val expected = data.groupBy(_._1).map { case (k, rows) => k -> rows.map(_._2).sum }
      val df = spark.sparkContext.parallelize(data, 1 + random.nextInt(9)).toDF("k", "x")
      Seq(1L << 20, 20L).foreach { bytes =>
        val found = merged(df.groupBy("k"), sum.copy(block = BlockSize.Memory(bytes))).as[(Int, Double)].collect()
        assert(found.length == expected.size && found.toMap == expected)
      }
    }
  }

  test("200,000 keys and a hot one, with less memory than their rows take") {
    val df = spark
      .range(0, 600000, 1, 4)
      .select(when(col("id") % 3 === 0, -1L).otherwise(col("id") % 200001) as "k", lit(1.0) as "x")
    val found = merged(df.groupBy("k"), sum.copy(block = BlockSize.Memory(400)))
    assert(found.agg(count("*"), org.apache.spark.sql.functions.sum("x"), max("x")).head() == {
      val plain = df.groupBy("k").count()
      Row(plain.count(), 600000.0, plain.agg(max("count")).head().getLong(0).toDouble)
    })
  }

  test("keys are equal as they are in GROUP BY: null, NaN, zeros, nested, strings") {
    val nan = java.lang.Double.longBitsToDouble(0x7ff8000000000001L)
    val keys = Seq(Some(0.0), Some(-0.0), Some(Double.NaN), Some(nan), None, None, Some(1.0))
    val df = spark.sparkContext.parallelize(keys.map((_, 1.0)), 3).toDF("k", "x")
    val counts = merged(df.groupBy("k")).as[(Option[Double], Double)].collect().toSeq
    assert(
      counts.map(c => (c._1.fold("null")(_.toString), c._2)).toSet ==
        Set(("0.0", 2.0), ("NaN", 2.0), ("null", 2.0), ("1.0", 1.0))
    )
    val nested = df.select(struct(col("k"), array(col("k"), lit(-0.0))) as "k", col("x"))
    assert(
      texts(merged(nested.groupBy("k"))) == texts(nested.groupBy("k").agg(org.apache.spark.sql.functions.sum("x")))
    )
    val text = Seq(("", 1.0), (null, 2.0), ("a", 3.0), ("", 4.0), ("a much longer key", 5.0)).toDF("k", "x")
    assert(
      sorted(merged(text.groupBy("k"))) == sorted(text.groupBy("k").agg(org.apache.spark.sql.functions.sum("x")))
    )
  }

  test("keys may be expressions, named as Spark names them, and may be merged themselves") {
    val grouped = rows.groupBy(col("k") % 3, (col("k") + 1) as "next")
    val found = merged(grouped)
    val plain = grouped.agg(org.apache.spark.sql.functions.sum("x") as "x")
    assert(found.columns.toSeq == plain.columns.toSeq)
    assert(sorted(found) == sorted(plain))
    assert(merged(rows.groupBy("x")).count() == 10000)
    assert(merged(rows.groupBy(rand(1) > 2)).select("x").collect().toSeq == Seq(Row(9999.0 * 5000)))
  }

  test("without keys all rows are one group; without rows there are no groups") {
    assert(merged(rows.groupBy()).collect().toSeq == Seq(Row(9999.0 * 5000)))
    assert(merged(rows.filter("x < 0").groupBy("k")).collect().isEmpty)
  }

  test("groups may differ in the shapes of their values, rows of one group may not") {
    val data = (0 until 300).map(i => (i % 5, Seq.fill(i % 5)(1.0)))
    val df = spark.sparkContext.parallelize(data, 3).toDF("k", "x")
    val vectors = TestReductions.sum("x", Seq(-1L))
    assert(
      merged(df.groupBy("k"), vectors).as[(Int, Seq[Double])].collect().toMap ==
        (0 until 5).map(k => k -> Seq.fill(k)(60.0)).toMap
    )
    val error = intercept[SparkException](merged(df.groupBy(col("k") % 4), vectors).collect())
    assert(causes(error).exists(e => e.isInstanceOf[InvalidInputException] && e.getMessage.contains("in one group")))
  }

  private def causes(error: Throwable): Seq[Throwable] =
    Iterator.iterate(error)(_.getCause).takeWhile(_ != null).toSeq

  test("nulls are errors that name column and partition, or their rows are left out") {
    val df = Seq((1, Some(1.0)), (1, None), (2, None), (3, Some(2.0))).toDF("k", "x").coalesce(1)
    val messages = causes(intercept[SparkException](merged(df.groupBy("k")).collect())).map(_.getMessage)
    assert(messages.exists(_.contains("program 'Sum': the value is null, in row 1 (counted from 0) of partition 0")))
    val skipping = sum.copy(handleInvalid = HandleInvalid.Skip)
    assert(sorted(merged(df.groupBy("k"), skipping)) == Seq(Row(1, 1.0), Row(3, 2.0)))
  }

  test("anything but a plain groupBy is refused") {
    Seq(rows.rollup("k"), rows.cube("k"), rows.groupBy("k").pivot("k", Seq(1L))).foreach { grouped =>
      val error = intercept[SparkDLException](merged(grouped))
      assert(error.getMessage.contains("one group per key"), error.getMessage)
    }
  }

  test("maps, texts of a collation and variants are refused as keys, where Spark has such") {
    assume(!spark.version.startsWith("3."))
    val keyed = intercept[SparkDLException](merged(rows.groupBy(map(col("k"), col("k")))))
    assert(keyed.getMessage.contains("maps have no order"))
    val collated = intercept[SparkDLException](merged(rows.groupBy(expr("string(k) COLLATE UTF8_LCASE"))))
    assert(collated.getMessage.contains("collation"))
    val variant = rows.select(expr("parse_json(string(k))") as "v", col("x"))
    intercept[AnalysisException](merged(variant.groupBy("v")))
  }

  test(
    "the plan has a partial node, one shuffle by the keys and a node on sorted rows; only their columns are read"
  ) {
    val path = java.nio.file.Files.createTempDirectory("sparkdl-aggregate-").resolve("wide").toString
    rows.select(col("k"), col("x"), lit("z") as "z", col("x") as "y").write.parquet(path)
    val df = merged(spark.read.parquet(path).groupBy("k"))
    assert(df.collect().length == 13)
    val plan = df.queryExecution.executedPlan
    assert(collect(plan) { case e: AggregateExec => e.nodeName } == Seq("EvalModel reduce Sum"))
    assert(collect(plan) { case e: PartialAggregateExec => e.metrics("rows").value } == Seq(10000L))
    assert(plan.toString.contains("ReadSchema: struct<k:bigint,x:double>"), plan)
    assert(
      "Exchange".r.findAllIn(plan.toString.linesIterator.takeWhile(!_.contains("Initial Plan")).mkString).size == 1
    )
  }

  test("rows that are partitioned by the keys are not shuffled again") {
    val df = merged(rows.repartition(5, col("k")).groupBy("k"))
    assert(df.collect().length == 13)
    assert(collect(df.queryExecution.executedPlan) {
      case e: org.apache.spark.sql.execution.exchange.ShuffleExchangeExec => e
    }.size == 1)
  }

  test(
    "the result is a DataFrame like any other: joined, filtered, aggregated again, key columns known by their old name"
  ) {
    val df = merged(rows.groupBy("k"))
    assert(df.select(rows("k")).count() == 13)
    assert(df.join(df.withColumnRenamed("x", "y"), "k").filter("x = y").count() == 13)
    assert(df.as("a").join(df.as("b"), col("a.k") === col("b.k") + 1).count() == 12)
    assert(df.filter("k = 3").collect().toSeq == rows.filter("k = 3").groupBy("k").sum("x").collect().toSeq)
    assert(df.agg(org.apache.spark.sql.functions.sum("x")).head().getDouble(0) == 9999.0 * 5000)
  }

  test("filters on keys go below the merge, those on results stay above") {
    val df = merged(rows.groupBy("k")).filter("k > 10 AND x > 0")
    assert(sorted(df) == sorted(rows.groupBy("k").agg(org.apache.spark.sql.functions.sum("x")).filter("k > 10")))
    assert(
      collect(df.queryExecution.executedPlan) { case e: PartialAggregateExec => e.metrics("rows").value } ==
        Seq(rows.filter("k > 10").count())
    )
  }

  test("repeated and concurrent aggregates give the same bits") {
    val random = new Random(2)
    val df =
      spark.sparkContext.parallelize(Seq.fill(20000)((random.nextInt(50), random.nextGaussian())), 11).toDF("k", "x")
    val expected = sorted(merged(df.groupBy("k")))
    val threads = java.util.concurrent.Executors.newFixedThreadPool(8)
    try {
      val all = (0 until 12).map(_ => threads.submit(() => sorted(merged(df.groupBy("k")))))
      all.foreach(f => assert(f.get() == expected))
    } finally threads.shutdown()
  }
}
