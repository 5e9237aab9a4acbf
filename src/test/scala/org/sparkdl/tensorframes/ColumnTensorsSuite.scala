package org.sparkdl.tensorframes

import org.apache.spark.ml.linalg.{Matrices, Vectors}
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.types._

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.SparkSuite

class ColumnTensorsSuite extends SparkSuite {
  import spark.implicits._

  private def shown(df: DataFrame, column: String): String =
    ColumnTensors.of(df.schema(column)).fold("none")(_.typeString)

  private def message(f: => Any): String = intercept[SparkDLException](f).getMessage

  test("the type alone gives the dtype and the rank") {
    val schema = StructType.fromDDL(
      "a double, b float, c int, d bigint, e smallint, f tinyint, g boolean, h string, i binary, j decimal(10, 2), " +
        "k array<double>, l array<array<array<int>>>, m date, n struct<x: int>, o map<string, int>"
    )
    val own = schema.map(f => ColumnTensors.of(f).fold("none")(_.typeString))
    val scalars =
      Seq("float64", "float32", "int32", "int64", "int16", "int8", "bool", "string", "string", "float64").map(
        _ + " [?]"
      )
    assert(own == scalars ++ Seq("float64 [?, ?]", "int32 [?, ?, ?, ?]", "none", "none", "none"))
    val linalg = Seq((Vectors.dense(1, 2), Matrices.zeros(2, 3))).toDF("v", "m")
    assert(shown(linalg, "v") == "float64 [?, ?]" && shown(linalg, "m") == "float64 [?, ?, ?]")
  }

  test("analyze finds shapes at any depth, in vectors and matrices, and which columns have no null") {
    val df = Seq(
      (Option(1.0), Seq(Seq(1, 2, 3), Seq(4, 5, 6)), Vectors.dense(1, 2), Matrices.zeros(2, 3), Seq(1.0), "a"),
      (None, Seq(Seq(1, 2, 3)), Vectors.sparse(2, Seq(0 -> 1.0)), Matrices.zeros(2, 3), Seq(2.0), "b")
    ).toDF("x", "deep", "v", "m", "one", "text").coalesce(1)
    val analyzed = df.analyze()
    assert(shown(analyzed, "x") == "float64 [2]" && analyzed.schema("x").nullable)
    assert(shown(analyzed, "deep") == "int32 [2, ?, 3]" && !analyzed.schema("deep").nullable)
    assert(shown(analyzed, "v") == "float64 [2, 2]")
    assert(shown(analyzed, "m") == "float64 [2, 2, 3]")
    assert(shown(analyzed, "one") == "float64 [2, 1]")
    assert(shown(analyzed, "text") == "string [2]" && !analyzed.schema("text").nullable)
    assert(analyzed.collect().toSeq == df.collect().toSeq)
  }

  test("analyze knows the number of rows where all partitions that have any have the same") {
    assert(shown(spark.range(0, 6, 1, 3).toDF("x").analyze(), "x") == "int64 [2]")
    assert(shown(spark.range(0, 7, 1, 3).toDF("x").analyze(), "x") == "int64 [?]")
    val oneOfThree = spark.range(0, 9, 1, 3).toDF("x").filter("x < 3")
    assert(shown(oneOfThree.analyze(), "x") == "int64 [3]", "empty partitions do not count")
  }

  test("analyze of no rows learns nothing, and ragged and empty arrays have unknown dimensions") {
    val none = Seq.empty[(Option[Double], Seq[Double])].toDF("x", "a").analyze()
    assert(shown(none, "a") == "float64 [?, ?]" && none.schema("x").nullable)
    val ragged = Seq(Seq(Seq(1, 2), Seq(3)), Seq()).toDF("a").coalesce(1).analyze()
    assert(shown(ragged, "a") == "int32 [2, ?, ?]")
    val emptyToo = Seq(Seq(Seq(1, 2), Seq(3, 4)), Seq()).toDF("a").coalesce(1).analyze()
    assert(shown(emptyToo, "a") == "int32 [2, ?, 2]", "an empty array does not tell how long its arrays are")
  }

  test("columns that are not tensors keep what they had") {
    val df = Seq((1, java.sql.Date.valueOf("2020-01-01"))).toDF("x", "day")
    val analyzed = df.select(col("x"), col("day").as("day", Metadata.fromJson("""{"comment": "mine"}"""))).analyze()
    assert(analyzed.schema("day").nullable && analyzed.schema("day").metadata.getString("comment") == "mine")
  }

  test("a null that appears after the analysis ends the job instead of passing as a value") {
    val source = udf { (x: Double) => if (ColumnTensorsSuite.changed && x > 1) null else Double.box(x) }
    val analyzed = Seq(1.0, 2.0).toDF("x").select(source(col("x")) as "x").analyze()
    assert(!analyzed.schema("x").nullable && analyzed.count() == 2)
    ColumnTensorsSuite.changed = true
    val e = intercept[Exception](analyzed.select(col("x") + 1).collect())
    val causes = Iterator.iterate[Throwable](e)(_.getCause).takeWhile(_ != null).map(_.getMessage).mkString("; ")
    assert(causes.contains("column 'x'"), causes)
  }

  test("names with dots and columns of the same name are analyzed") {
    val df = Seq((1.0, 2, 3)).toDF("a.b", "c", "c").analyze()
    assert(df.schema.map(_.nullable) == Seq(false, false, false) && df.head() == Row(1.0, 2, 3))
    assert(shown(df, "a.b") == "float64 [1]")
  }

  test("analyze is refused on a stream") {
    val stream = spark.readStream.format("rate").load()
    assert(message(stream.analyze()).contains("a stream has no end"))
  }

  test("appendShape takes a shape with the rows first, without a job") {
    val df = Seq(Seq(1.0, 2.0)).toDF("a.b")
    val known = df.appendShape("a.b", Array(0, 2))
    assert(shown(known, "a.b") == "float64 [?, 2]" && known.head() == Row(Seq(1.0, 2.0)))
    assert(shown(df.appendShape("a.b", Array(-1, -1)), "a.b") == "float64 [?, ?]")
    assert(shown(known.select(col("`a.b`").as("y")), "y") == "float64 [?, 2]", "it goes with the column")
    assert(shown(known.select((col("`a.b`").cast("array<float>")).as("y")), "y") == "float32 [?, ?]")
  }

  test("appendShape refuses another rank, columns that are not tensors, and names that do not exist") {
    val df = Seq((1.0, java.sql.Date.valueOf("2020-01-01"))).toDF("x", "day")
    assert(
      message(df.appendShape("x", Array(-1, 2))) ==
        "Cannot give column 'x' (double) a shape: expected 1 dimension(s), the rows first, got [?, 2]."
    )
    assert(message(df.appendShape("day", Array(-1))).contains("its type is not that of a tensor"))
    assert(
      message(df.appendShape("y", Array(-1))) == "appendShape: there is no column 'y'. The DataFrame has: x, day."
    )
    val twice = Seq((1, 2)).toDF("c", "c")
    assert(intercept[SchemaMismatchException](twice.appendShape("c", Array(-1))).getMessage.contains("2 columns"))
  }

  test("the metadata of TensorFrames 0.x is understood, and that of another rank is not believed") {
    def withKey(key: String, shape: String) =
      Seq(Seq(1.0)).toDF("x").select(col("x").as("x", Metadata.fromJson(s"""{"$key": $shape}""")))
    assert(shown(withKey("org.spartf.shape", "[-1, 3]"), "x") == "float64 [?, 3]")
    assert(shown(withKey("sparkdl.tensorShape", "[-1, 3]"), "x") == "float64 [?, 3]")
    assert(shown(withKey("sparkdl.tensorShape", "[-1, 3, 4]"), "x") == "float64 [?, ?]")
    assert(shown(withKey("sparkdl.tensorShape", "\"long\""), "x") == "float64 [?, ?]")
    val renewed = withKey("org.spartf.shape", "[-1, 3]").appendShape("x", Array(-1, 4)).schema("x").metadata
    assert(!renewed.contains("org.spartf.shape") && renewed.getLongArray("sparkdl.tensorShape").toSeq == Seq(-1, 4))
  }

  test("explainTensors shows one line per column") {
    val df =
      Seq((1.0, Seq(Seq(1L)), Vectors.dense(1), java.sql.Date.valueOf("2020-01-01"))).toDF("x", "a", "v", "day")
    assert(
      df.appendShape("a", Array(-1, 2, 2)).explainTensors() ==
        """root
          | |-- x: double (nullable = false) double[?]
          | |-- a: array (nullable = true) long[?,2,2]
          | |-- v: vector (nullable = true) double[?,?]
          | |-- day: date (nullable = true) <no tensor info>
          |""".stripMargin
    )
  }

  test("a block and a row of a column are its tensor with and without rows") {
    val df = Seq((Seq(1.0), "a", java.sql.Date.valueOf("2020-01-01"))).toDF("x", "text", "day").analyze()
    assert(ColumnTensors.block(df, "x").shape.contains(Seq(-1L, 1L)), "any number of rows")
    assert(ColumnTensors.row(df, "x").shape.contains(Seq(1L)))
    assert(ColumnTensors.row(df, "text") == TensorSpec("text", "text", org.sparkdl.runtime.DType.Str, Some(Nil)))
    assert(message(ColumnTensors.row(df, "day")).contains("Column 'day' is date, which is not a tensor"))
  }
}

object ColumnTensorsSuite {

  /** Whether the source of a test has changed. */
  @volatile private var changed = false
}
