package org.sparkdl.tensorframes

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._

import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.DType
import org.sparkdl.testing.SparkSuite

class MergingSuite extends SparkSuite {
  import spark.implicits._

  private lazy val numbers: DataFrame =
    spark.range(0, 100, 1, 4).select(col("id").cast("double") as "x", col("id") % 3 as "k", col("id") as "n")
  private val sum = TestPrograms.blockSum("x_input", "x")

  /** The sum of x, the largest n. */
  private def sumAndMax(fetches: String*): Program = TestPrograms.of(fetches: _*) { g =>
    TestPrograms.summed(g, "x_input", "x", DType.Float64)
    TestPrograms.merged("Max", g, "n_input", "n", DType.Int64, TestPrograms.Rows)
  }

  private def messages(e: Throwable): String =
    Iterator.iterate(e)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("; ")

  test("reduceBlocks merges a column into a row, whatever other columns there are") {
    assert(numbers.reduceBlocks(sum) == Row(4950.0))
    assert(numbers.reduceBlocks(sum).schema.fieldNames.toSeq == Seq("x"))
    assert(numbers.reduceBlocks(sum, BlockOptions().withBlockRows(7)) == Row(4950.0))
  }

  test("several outputs come in the order in which they were asked for") {
    assert(numbers.reduceBlocks(sumAndMax("x", "n")) == Row(4950.0, 99L))
    assert(numbers.reduceBlocks(sumAndMax("n", "x")) == Row(99L, 4950.0))
    val both = numbers.reduceBlocks(sumAndMax("n", "x"))
    assert(both.getAs[Long]("n") == 99L)
  }

  test("a placeholder may have the column's name, or be fed from it") {
    assert(numbers.reduceBlocks(TestPrograms.blockSum("values", "x").feed("values", "x")) == Row(4950.0))
    val named = Program.named(
      TestPrograms.summed(new org.sparkdl.runtime.GraphDefs, "x", "s", DType.Float64).toBytes,
      Seq("x" -> "s:0")
    )
    assert(numbers.reduceBlocks(named) == Row(4950.0))
    val other = numbers.withColumnRenamed("x", "price")
    assert(other.reduceBlocks(sum.feed("x_input", "price")) == Row(4950.0), "the result has the output's name")
  }

  test("vectors are merged into arrays, and shapes may be unknown") {
    val df = Seq(1, 10, 100).map(i => Tuple1(Vectors.dense(i, 2 * i))).toDF("x").repartition(2)
    assert(df.reduceBlocks(TestPrograms.blockSum("x_input", "x", shape = Seq(-1L, 2L))) == Row(Seq(111.0, 222.0)))
    assert(df.reduceBlocks(TestPrograms.blockSum("x_input", "x", shape = Seq(-1L, -1L))) == Row(Seq(111.0, 222.0)))
    assert(df.reduceRows(TestPrograms.pairSum(shape = Seq(-1L))) == Row(Seq(111.0, 222.0)))
  }

  test("reduceRows merges two rows at a time") {
    assert(numbers.reduceRows(TestPrograms.pairSum()) == Row(4950.0))
    assert(
      numbers.withColumnRenamed("x", "p").reduceRows(TestPrograms.pairSum().feed("x_1", "p").feed("x_2", "p")) == Row(
        4950.0
      )
    )
  }

  test("one row is its own reduction") {
    assert(Seq(3.0).toDF("x").reduceBlocks(sum) == Row(3.0))
    assert(Seq(3).toDF("x").reduceRows(TestPrograms.pairSum()) == Row(3.0))
  }

  test("a DataFrame without rows cannot be reduced, and says so; aggregate gives one without rows") {
    val none = numbers.filter("x < 0")
    val e = intercept[SparkDLException](none.reduceBlocks(sum)).getMessage
    assert(e.contains("reduceBlocks (reduce_blocks): the DataFrame has no rows") && e.contains("isEmpty"))
    assert(intercept[SparkDLException](none.reduceRows(TestPrograms.pairSum())).getMessage.contains("reduce_rows"))
    assert(none.groupBy("k").aggregate(sum).collect().isEmpty)
  }

  test("aggregate merges the rows of each group: the keys, then the outputs in the order of their names") {
    val df = numbers.groupBy("k").aggregate(sumAndMax("x", "n"))
    assert(df.columns.toSeq == Seq("k", "n", "x"))
    val expected = numbers.groupBy("k").agg(max("n"), sum_("x"))
    assert(df.orderBy("k").collect().toSeq == expected.orderBy("k").collect().toSeq)
  }

  private def sum_(column: String) = org.apache.spark.sql.functions.sum(column)

  test("results tell their shapes") {
    val df = Seq((1, Seq(1.0, 2.0))).toDF("k", "x")
    val out = df.groupBy("k").aggregate(TestPrograms.blockSum("x_input", "x", shape = Seq(-1L, 2L)))
    assert(out.explainTensors().contains(" |-- x: array (nullable = false) double[?,2]"))
  }

  test("aggregate refuses wrong placeholders, keys named like outputs, and nulls unless they are skipped") {
    val wrong =
      intercept[SparkDLException](numbers.groupBy("k").aggregate(TestPrograms.blockSum("q", "x"))).getMessage
    assert(wrong.contains("'x (aggregate)'") && wrong.contains("'x_input'"))
    val key = intercept[SparkDLException](numbers.groupBy("x").aggregate(sum)).getMessage
    assert(key.contains("'x' is a key and an output"))
    val nulls = Seq((1, Some(1.0)), (1, None), (2, Some(2.0))).toDF("k", "x")
    assert(messages(intercept[SparkException](nulls.groupBy("k").aggregate(sum).collect())).contains("column 'x'"))
    val skipped = nulls.groupBy("k").aggregate(sum, BlockOptions().withHandleInvalid("skip"))
    assert(skipped.orderBy("k").collect().toSeq == Seq(Row(1, 1.0), Row(2, 2.0)))
  }

  test("aggregate is lazy and stands in the plan under the program's name") {
    val touched = spark.sparkContext.longAccumulator
    val count = udf { (x: Double) => touched.add(1); x }
    val df = numbers.select(col("k"), count(col("x")) as "x").groupBy("k").aggregate(sum)
    assert(touched.value == 0 && df.count() == 3)
    assert(df.queryExecution.executedPlan.toString.contains("x (aggregate)"))
  }
}
