package org.sparkdl.rows

import org.apache.spark.SparkException
import org.apache.spark.sql.{DataFrame, Row, SparkSession}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.sparkdl.execution.TrimBlocksExec

import org.sparkdl.application.BlockSize.{Memory, Partition, Rows}
import org.sparkdl.application.HandleInvalid
import org.sparkdl.testing.{Operators, Programs}
import org.sparkdl.testing.SparkStreams.MemoryStream

/** Programs that are run for their outputs only. */
class TrimBlocksSuite extends Programs with Operators {
  import spark.implicits._

  private lazy val ten: DataFrame = spark.range(0, 10, 1, 1).select(col("id"), col("id").cast("double") as "x")

  private def nodes(df: DataFrame) = collect(df.queryExecution.executedPlan) { case t: TrimBlocksExec => t }

  test("the outputs of each block are rows, fewer or more than the block's, without its columns") {
    val sums = trimmed(ten, total(), Rows(4))
    assert(sums.columns.toSeq == Seq("total") && sums.collect().toSeq == Seq(Row(6.0), Row(22.0), Row(17.0)))
    assert(trimmed(ten, total(), Partition).as[Double].collect().toSeq == Seq(45.0))
    val again = trimmed(ten, twice(), Rows(6)).as[Double].collect().toSeq
    val (a, b) = ((0 until 6).map(_.toDouble), (6 until 10).map(_.toDouble))
    assert(again == a ++ a ++ b ++ b)
    val many = spark.range(0, 3000, 1, 1).select(col("id").cast("double") as "x")
    assert(trimmed(many, twice(), Partition).agg(sum("twice"), count("*")).head() == Row(2999.0 * 3000, 6000L))
  }

  test("it is lazy, is in the plan under its name and reads only the columns that it needs") {
    val df = trimmed(ten, total(), Rows(4))
    assert(nodes(df).map(_.nodeName) == Seq("EvalModel blocks total"))
    df.collect()
    assert(nodes(df).head.metrics("batches").value == 3 && nodes(df).head.child.output.map(_.name) == Seq("x"))
    assert(
      df.count() == 3 && df.filter("total > 10").count() == 2 && df.limit(1).as[Double].collect().toSeq == Seq(6.0)
    )
  }

  test("programs without inputs run once per block of rows, and not at all without rows") {
    assert(trimmed(ten, three, Rows(5)).as[Float].collect().toSeq == Seq(1f, 2f, 3f, 1f, 2f, 3f))
    assert(trimmed(ten, three, Memory(1000)).as[Float].collect().toSeq == Seq(1f, 2f, 3f))
    assert(trimmed(ten.filter("x < 0"), three, Partition).count() == 0)
    assert(trimmed(ten.repartition(4).filter("x = 3"), total(), Partition).as[Double].collect().toSeq == Seq(3.0))
  }

  test("outputs without a common number of rows are an error that names the shape of each") {
    val e = intercept[SparkException](trimmed(ten, disagreeing, Rows(4)).collect()).getMessage
    assert(e.contains("The outputs of program 'disagreeing' on a block of partition 0 have no common number of rows"))
    assert(e.contains("'total:0' [1], 'same:0' [4]"))
  }

  test("invalid rows are errors that name the column, or are left out of their block") {
    val df = Seq(Some(1.0), None, Some(6.0)).toDF("v").coalesce(1)
    val e = intercept[SparkException](trimmed(df, total(), Partition, Seq("v")).collect()).getMessage
    assert(e.contains("Cannot feed column 'v' to input 'x' of program 'total': the value is null, in row 1"))
    assert(trimmed(df, total(), Partition, Seq("v"), HandleInvalid.Skip).as[Double].collect().toSeq == Seq(7.0))
  }

  test("it joins with itself") {
    val df = trimmed(ten, total(), Rows(4))
    assert(df.as("a").join(df.as("b"), col("a.total") === col("b.total")).count() == 3)
  }

  test("programs by row, by block and trimmed work on streams") {
    implicit val session: SparkSession = spark
    def streamed(name: String, apply: DataFrame => DataFrame): Seq[Row] = {
      val input = MemoryStream[Double](1)
      val query = apply(input.toDF()).writeStream.format("memory").queryName(name).outputMode("append").start()
      try {
        input.addData(1.0, 3.0); query.processAllAvailable()
        input.addData(5.0); query.processAllAvailable()
        spark.table(name).collect().toSeq.sortBy(_.getDouble(0))
      } finally query.stop()
    }
    val blocks = streamed("blocks_stream", mapped(_, centred(), Some(Partition), Seq("value")))
    assert(blocks == Seq(Row(-1.0, 1.0), Row(0.0, 5.0), Row(1.0, 3.0)))
    assert(streamed("trim_stream", trimmed(_, total(), Partition, Seq("value"))) == Seq(Row(4.0), Row(5.0)))
    val rows = streamed("rows_stream", mapped(_, twoTimes, None, Seq("value")))
    assert(rows == Seq(Row(2.0, 1.0), Row(6.0, 3.0), Row(10.0, 5.0)))
  }

  private def twoTimes = org.sparkdl.testing.TestModels.doubled(org.sparkdl.runtime.DType.Float64)
}
