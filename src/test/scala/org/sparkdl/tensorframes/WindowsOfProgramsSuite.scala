package org.sparkdl.tensorframes

import org.apache.spark.SparkException
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.col

import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.SparkSuite

/** Programs whose rows or blocks are smaller than a window of pooling, for which oneDNN divides by zero. */
class WindowsOfProgramsSuite extends SparkSuite {
  import spark.implicits._

  private val floats = Map("T" -> DType.Float32)

  /** The largest of three values in a row, at every place; `x` is [1, values, 1, 1]. */
  private def pooled(g: GraphDefs, x: String, pool: String): GraphDefs = g.node(
    "MaxPool",
    pool,
    Seq(x),
    floats ++ Map(
      "ksize" -> GraphDefs.ints(Seq(1L, 3L, 1L, 1L)),
      "strides" -> GraphDefs.ints(Seq(1L, 1L, 1L, 1L)),
      "padding" -> "VALID"
    )
  )

  /** The same of a block of numbers. */
  private def pooledBlock(g: GraphDefs, block: String, pool: String): GraphDefs = pooled(
    g.placeholder(block, DType.Float32, TestPrograms.Rows)
      .const("picture", DType.Int32, Seq(1, -1, 1, 1))
      .node("Reshape", "pixels", Seq(block, "picture"), floats + ("Tshape" -> DType.Int32)),
    "pixels",
    pool
  )

  private def refused(made: => Any): Unit = {
    val e = intercept[SparkException](made)
    assert(e.getMessage.contains("the row is smaller than a window of pooling"), e.getMessage)
  }

  private def block(rows: Int): DataFrame = (1 to rows).map(_.toFloat).toDF("x").coalesce(1)

  test("a row of mapRows that is smaller than a window ends the job with the reason, or is left out") {
    val program = TestPrograms.of("y")(g => pooled(g.placeholder("x", DType.Float32, Seq(1L, -1L, 1L, 1L)), "x", "y"))
    val rows = Seq(Seq(1f, 2f, 3f), Seq(4f, 5f), Seq(6f, 7f, 8f, 9f))
      .map(values => Seq(values.map(v => Seq(Seq(v)))))
      .toDF("x")
      .coalesce(1)
    refused(rows.mapRows(program).collect())
    val left = rows.mapRows(program, BlockOptions().withHandleInvalid("skip")).select("y")
    assert(
      left.as[Seq[Seq[Seq[Seq[Float]]]]].collect().map(_.flatten.flatten.flatten).toSeq == Seq(Seq(3f), Seq(8f, 9f))
    )
  }

  test("a block of fewer rows than a window ends the job with the reason") {
    val program = TestPrograms.of("y") { g =>
      pooledBlock(g, "x", "pool")
        .const("flat", DType.Int32, Seq(-1))
        .node("Reshape", "y", Seq("pool", "flat"), floats + ("Tshape" -> DType.Int32))
    }
    assert(block(4).mapBlocksTrimmed(program).as[Float].collect().toSeq == Seq(3f, 4f))
    refused(block(2).mapBlocksTrimmed(program).collect())
  }

  test("rows that are merged, alone or by groups, are checked in the same way") {
    val program = TestPrograms.of("x") { g =>
      pooledBlock(g, "x_input", "pool")
        .const("axes", DType.Int32, Seq(0, 1, 2, 3))
        .node("Max", "x", Seq("pool", "axes"), floats + ("Tidx" -> DType.Int32))
    }
    assert(block(4).reduceBlocks(program).getFloat(0) == 4f)
    refused(block(2).reduceBlocks(program))
    refused(block(5).groupBy((col("x") > 3).as("key")).aggregate(program).collect())
  }
}
