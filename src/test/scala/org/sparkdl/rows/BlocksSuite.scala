package org.sparkdl.rows

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._

import org.sparkdl.application.BlockSize.{Memory, Partition, Rows}
import org.sparkdl.application.HandleInvalid
import org.sparkdl.testing.{Operators, Programs}

/** Programs whose rows depend on the other rows of their block. */
class BlocksSuite extends Programs with Operators {
  import spark.implicits._

  private lazy val ten: DataFrame = spark.range(0, 10, 1, 1).select(col("id"), col("id").cast("double") as "x")

  private def centredBy(values: Seq[Double], size: Int): Seq[Double] =
    values.grouped(size).flatMap(g => g.map(_ - g.sum / g.size)).toSeq

  private def message(df: => DataFrame): String = intercept[SparkException](df.collect()).getMessage

  private val zeroToNine = (0 until 10).map(_.toDouble)

  test("blocks have the number of rows that was asked for, and the last one has the rest") {
    val df = mapped(ten, centred(), Some(Rows(4)))
    assert(df.select("y").as[Double].collect().toSeq == centredBy(zeroToNine, 4))
    assert(metric(df, "batches") == 0 && df.columns.toSeq == Seq("y", "id", "x"))
    df.collect()
    assert(metric(df, "batches") == 3 && metric(df, "rows") == 10)
    assert(
      mapped(ten, centred(), Some(Rows(1000))).select("y").as[Double].collect().toSeq == centredBy(zeroToNine, 10)
    )
    val many = spark.range(0, 5000, 1, 1).select(col("id").cast("double") as "x")
    val made = mapped(many, centred(), Some(Rows(3000))).select("y").as[Double].collect().toSeq
    assert(made == centredBy((0 until 5000).map(_.toDouble), 3000), "blocks that outgrow their first memory")
  }

  test("blocks have as many rows as fit into the memory, with their outputs") {
    def batches(df: DataFrame) = { df.collect(); metric(df, "batches") }
    assert(batches(mapped(ten, centred(), Some(Memory(64)))) == 3, "4 rows of 8 + 8 bytes")
    assert(batches(mapped(ten, centred(), Some(Memory(1)))) == 10, "at least one row")
    assert(batches(mapped(ten, centred(), Some(Memory(1 << 20)))) == 1)
    val vectors = ten.select(functions.vector(col("x")) as "x")
    assert(batches(mapped(vectors, centred(-1L), Some(Memory(128)))) == 3, "4 rows of 2 x 8 bytes, and as much again")
  }

  private object functions {
    private val made = udf((x: Double) => Vectors.dense(x, x))
    def vector(x: org.apache.spark.sql.Column): org.apache.spark.sql.Column = made(x)
  }

  test("the size of blocks does not depend on which outputs are used later") {
    val two = org.sparkdl.testing.TestModels.twoOutputs
    val floats = ten.select(col("x").cast("float") as "x")
    val df = mapped(floats, two, Some(Memory(48))).select("square")
    df.collect()
    assert(metric(df, "batches") == 3 && operators(df).head.outputs.size == 1, "4 rows of 4 + 4 + 4 bytes")
  }

  test("a whole partition is a block where that is asked for") {
    val n = 20000
    val df = spark.range(0, n, 1, 2).select(col("id").cast("double") as "x", spark_partition_id() as "p")
    val made = mapped(df, centred(), Some(Partition)).groupBy("p").agg(sum("y"), count("*"), max("y")).orderBy("p")
    assert(made.collect().toSeq == Seq(0, 1).map(p => Row(p, 0.0, n / 2L, (n / 2 - 1) / 2.0)))
  }

  test("rows of another cell shape open the next block, but cannot be part of a partition that is one") {
    val rows = Seq(1.0 -> 2, 3.0 -> 2, 5.0 -> 3, 7.0 -> 3, 9.0 -> 2).map { case (v, n) => Seq.fill(n)(v) }
    val df = rows.toDF("x").coalesce(1)
    val out = mapped(df, centred(-1L), Some(Memory(1 << 20)))
    assert(out.select("y").as[Seq[Double]].collect().map(_.head).toSeq == Seq(-1.0, 1.0, -1.0, 1.0, 0.0))
    val e = message(mapped(df, centred(-1L), Some(Partition)))
    assert(e.contains("partition 0 cannot be one block of program 'centred'"))
    assert(e.contains("the values of column 'x' have the shape [2], but row 2 (counted from 0) has [3]"))
  }

  test("strings are blocks too") {
    val df = Seq("1", "22", "333").toDF("text").coalesce(1)
    val m = org.sparkdl.testing.TestModels.parse
    val out = mapped(df, m, Some(Memory(60)))
    assert(out.collect().toSeq == Seq(Row(1f, "1"), Row(22f, "22"), Row(333f, "333")))
    assert(metric(out, "batches") == 2, "24 + 1 bytes of input and 4 of output: 2 rows")
  }

  test("a null names the column, the row and the partition, or its row is left out") {
    val df = Seq(Some(1.0), Some(2.0), None, Some(6.0)).toDF("v").coalesce(1)
    val e = message(mapped(df, centred(), Some(Rows(10)), Seq("v")))
    assert(
      e.contains(
        "Cannot feed column 'v' to input 'x' of program 'centred': the value is null, in row 2 (counted from 0) of " +
          "partition 0. Fix or remove the row, or set handleInvalid to 'skip' to leave such rows out."
      )
    )
    val skipped = mapped(df, centred(), Some(Rows(10)), Seq("v"), HandleInvalid.Skip)
    assert(skipped.collect().toSeq == Seq(Row(-2.0, 1.0), Row(-1.0, 2.0), Row(3.0, 6.0)))
    assert(skipped.count() == 3 && skipped.filter("v > 1").count() == 2)
    val short = Seq(Seq(1.0, 2.0), Seq(1.0)).toDF("v").coalesce(1)
    assert(
      message(mapped(short, centred(2L), None, Seq("v")))
        .contains("column 'v' to input 'x' of program 'centred': expected 2 elements in dimension 1, got 1, in row 1")
    )
  }

  test("an output without one row per row of the block is an error that names what to use instead") {
    val e = message(mapped(ten, total(), Some(Rows(4))))
    assert(
      e.contains("Output 'total:0' of program 'total' has the shape [1]: expected 4 entries in its first dimension")
    )
    assert(e.contains("one per row of the block. map_blocks needs as many rows as the block has"))
    assert(e.contains("trim=True (mapBlocksTrimmed in Scala)"))
  }

  test("rows that TensorFlow refuses are never run alone: they are rows of a block") {
    val df = Seq("1", "two").toDF("text").coalesce(1)
    val e = message(mapped(df, org.sparkdl.testing.TestModels.parse, Some(Rows(9)), invalid = HandleInvalid.Skip))
    assert(e.contains("TensorFlow could not run program 'parse' on a block of partition 0"))
    assert(e.contains("'text' from column 'text'"))
  }

  test("filters and limits stay above blocks, unused outputs and columns do not go through") {
    val all = zeroToNine.map(_ - 4.5)
    val df = mapped(ten, centred(), Some(Rows(10)))
    assert(df.filter("id > 7").select("y").as[Double].collect().toSeq == all.drop(8))
    assert(df.limit(2).select("y").as[Double].collect().toSeq == all.take(2))
    assert(df.filter("y > 0").filter("id % 2 = 0").select("y").as[Double].collect().toSeq == Seq(1.5, 3.5))
    val narrow = df.select("y")
    assert(narrow.collect().length == 10 && operators(narrow).head.output.map(_.name) == Seq("y"))
    assert(operators(df.select("x")).isEmpty, "nobody needs the program")
    val byRow = mapped(ten, centred(), None).filter("id > 7")
    byRow.collect()
    assert(metric(byRow, "rows") == 2, "programs by row let them pass")
  }

  test("columns are found as Spark finds them: dots, capitals, names that are there twice") {
    val odd =
      ten.select(col("x") as "a.b", col("id") as "ID", col("x") as "same", col("x") as "same", col("x") as "q`t")
    assert(mapped(odd, centred(), Some(Rows(10)), Seq("a.b")).select("y").as[Double].head() == -4.5)
    assert(mapped(odd, centred(), Some(Rows(10)), Seq("q`t")).select("y").as[Double].head() == -4.5)
    assert(
      mapped(odd, centred(), Some(Rows(10)), Seq("id")).columns.toSeq == Seq("y", "a.b", "ID", "same", "same", "q`t")
    )
    val twice = intercept[org.apache.spark.sql.AnalysisException](mapped(odd, centred(), Some(Rows(10)), Seq("same")))
    assert(twice.getMessage.contains("same") && twice.getMessage.toLowerCase.contains("ambiguous"))
    val none = intercept[org.apache.spark.sql.AnalysisException](mapped(ten, centred(), Some(Rows(10)), Seq("z")))
    assert(none.getMessage.contains("`z`") && none.getMessage.contains("`id`, `x`"))
  }

  test("a mapped DataFrame joins with itself, and is mapped again") {
    val df = mapped(ten, centred(), Some(Rows(10)))
    assert(df.as("a").join(df.as("b"), col("a.y") === col("b.y")).count() == 10)
    val again = mapped(df.withColumnRenamed("y", "z"), centred(), Some(Rows(10)), Seq("z"))
    assert(again.columns.toSeq == Seq("y", "z", "id", "x") && again.select("y").as[Double].head() == -4.5)
  }

  test("blocks are run by many threads at once") {
    val program = centred()
    val sums = (0 until 8)
      .map(i => Rows(50 + i))
      .inThreads(size =>
        mapped(spark.range(0, 3000, 1, 2).select(col("id").cast("double") as "x"), program, Some(size))
          .select("y")
          .as[Double]
          .collect()
          .toSeq
      )
    sums.zipWithIndex.foreach { case (made, i) =>
      assert(
        made == centredBy((0 until 1500).map(_.toDouble), 50 + i) ++ centredBy(
          (1500 until 3000).map(_.toDouble),
          50 + i
        )
      )
    }
  }

  /** Each in its own thread. */
  implicit private class InThreads[A](items: Seq[A]) {
    def inThreads[B](run: A => B): Seq[B] = {
      import scala.concurrent.{Await, ExecutionContext, Future}
      import scala.concurrent.duration.DurationInt
      val pool = java.util.concurrent.Executors.newFixedThreadPool(items.size)
      implicit val context: ExecutionContext = ExecutionContext.fromExecutor(pool)
      try Await.result(Future.sequence(items.map(i => Future(run(i)))), 2.minutes)
      finally pool.shutdown()
    }
  }
}
