package org.sparkdl.tensorframes

import scala.jdk.CollectionConverters._

import org.apache.spark.sql.Row

import org.sparkdl.JavaTensorFrames
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Runs the program in Java, `JavaTensorFrames`. */
class JavaTensorFramesSuite extends SparkSuite {
  import spark.implicits._

  private lazy val java = new JavaTensorFrames(Seq((1, 1.0), (2, 2.0), (1, 4.0)).toDF("k", "price").coalesce(1))
  private lazy val doubled = TestModels.write(
    "doubled",
    _.placeholder("x", DType.Float64, Seq(-1L)).node("AddV2", "z", Seq("x", "x"), Map("T" -> DType.Float64))
  )

  test("maps take options that are made by their defaults") {
    assert(java.blocks(doubled.toString).asScala.toVector == Seq(Row(2.0), Row(4.0), Row(8.0)))
  }

  test("placeholders take values from a map") {
    val power = new GraphDefs()
      .placeholder("base", DType.Float64, Nil)
      .placeholder("x", DType.Float64, TestPrograms.Rows)
      .node("Pow", "z", Seq("base", "x"), Map("T" -> DType.Float64))
    assert(java.powers(power.toBytes).asScala.toVector == Seq(Row(2.0), Row(4.0), Row(16.0)))
  }

  test("reductions give a Row and aggregates a DataFrame") {
    val sum = TestPrograms.summed(new GraphDefs, "price_input", "price", DType.Float64).toBytes
    assert(java.sums(sum).asScala.toVector == Seq(Row(1, 5.0), Row(2, 2.0)))
  }

  test("shapes take an int[]") {
    assert(
      java.shapes() == "root\n |-- k: integer (nullable = false) integer[3]\n" +
        " |-- price: double (nullable = false) double[?]\n"
    )
  }

  test("errors are caught by their type") {
    assert(java.refused(doubled.toString).contains("there is no column 'x' for placeholder 'x: float64 [?]'"))
  }
}
