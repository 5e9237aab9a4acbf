package org.sparkdl.tensorframes.dsl

import java.util.concurrent.{Callable, Executors}

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{array, col}
import org.tensorflow.Graph
import org.tensorflow.op.Ops
import org.tensorflow.op.core.Placeholder
import org.tensorflow.types.TFloat64

import org.sparkdl.JavaOperations
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.tensorframes._
import org.sparkdl.testing.SparkSuite
import org.sparkdl.testing.TestRuntime.runtime

/** Operations as programs over DataFrames. */
class DslProgramSuite extends SparkSuite {
  private lazy val df =
    spark.range(0, 6, 1, 3).select(col("id"), (col("id") % 2).as("key"), col("id").cast("double").as("x"))
  private lazy val pairs = df.select(col("id"), array(col("x"), col("x") * 10).as("v")).appendShape("v", Array(-1, 2))

  private def rows(df: DataFrame) = df.collect().toSeq.map(_.toSeq)

  test("placeholders have the dtype and the shape of their column") {
    assert(df.block("x").toString == "x: float64 [?]")
    assert(df.row("x").toString == "x: float64 []")
    assert(pairs.block("v", "w").toString == "w: float64 [?, 2]")
    assert(pairs.row("v").toString == "v: float64 [2]")
    assert(df.block("key").dtype.name == "int64")
  }

  test("blocks and rows are mapped by operations") {
    val x = df.block("x")
    val expected = (0 until 6).map(i => Seq(i + 3.0, i, i % 2, i.toDouble))
    assert(rows(df.mapBlocks(x + 3.0 named "z")) == expected)
    assert(rows(df.mapRows(df.row("x") + 3 named "z")) == expected)
    val two = df.select("x").mapBlocks(x * 2 named "b", 1 - x named "a")
    assert(two.columns.toSeq == Seq("a", "b", "x"))
    assert(rows(two) == (0 until 6).map(i => Seq(1.0 - i, 2.0 * i, i.toDouble)))
  }

  test("trimmed blocks have as many rows as their outputs") {
    val sums = df.mapBlocksTrimmed(expandDims(reduceSum(df.block("x")), 0) named "s")
    assert(rows(sums) == Seq(Seq(1.0), Seq(5.0), Seq(9.0)))
  }

  test("a column is fed to its placeholder whatever either is called") {
    val odd = df.select(col("x").as("my column"))
    assert(rows(odd.mapBlocks(odd.block("my column") * 2 named "z")).map(_.head) == (0 until 6).map(_ * 2.0))
    assert(rows(df.mapRows(scope("s")(df.row("x", "w") * 2) named "z")).map(_.head) == (0 until 6).map(_ * 2.0))
  }

  test("blocks and rows are reduced, and groups aggregated") {
    val sum = reduceSum(df.block("x", "x_input"), 0) named "x"
    assert(df.reduceBlocks(sum) == Row(15.0))
    assert(df.reduceRows(df.row("x", "x_1") + df.row("x", "x_2") named "x") == Row(15.0))
    assert(df.groupBy("key").aggregate(sum).collect().toSet == Set(Row(0, 6.0), Row(1, 9.0)))
    val v = pairs.block("v", "v_input")
    assert(pairs.reduceBlocks(reduceMax(v, 0) named "v") == Row(Seq(5.0, 50.0)))
  }

  test("what does not fit the columns is refused") {
    val e = intercept[SchemaMismatchException](df.mapBlocks(placeholder[Double](Unknown) named "y"))
    assert(e.getMessage.contains("there is no column 'y' for placeholder 'y: float64 [?]'"))
  }

  test("graphs of TensorFlow Java's Ops are programs") {
    runtime.load() // Ops would load it from where it likes
    val graph = new Graph()
    val program =
      try {
        val tf = Ops.create(graph)
        val x =
          tf.withName("x").placeholder(classOf[TFloat64], Placeholder.shape(org.tensorflow.ndarray.Shape.of(-1)))
        tf.withName("z").math.add(x, tf.constant(1.0))
        Program.fromBytes(graph.toGraphDef.toByteArray, "z")
      } finally graph.close()
    assert(rows(df.mapBlocks(program)).map(_.head) == (1 to 6).map(_.toDouble))
  }

  test("Java uses them by name") {
    val java = new JavaOperations(df)
    assert(java.mapped().asScala.map(_.toSeq) == (0 until 6).map(i => Seq(2.0 * i + 1, i > 2, i, i % 2, i.toDouble)))
    assert(java.reduced() == Row(15.0))
  }

  test("many threads make programs and run them at once") {
    def task(i: Int): Callable[Seq[Any]] =
      () => rows(df.mapBlocks(scope(s"t$i")(df.block("x") * i) named "z")).map(_.head)
    val pool = Executors.newFixedThreadPool(6)
    try {
      val found = pool.invokeAll((1 to 12).map(task).asJava).asScala.map(_.get())
      assert(found == (1 to 12).map(i => (0 until 6).map(_ * i.toDouble)))
    } finally pool.shutdown()
  }
}
