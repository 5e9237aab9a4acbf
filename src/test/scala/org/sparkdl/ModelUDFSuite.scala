package org.sparkdl

import java.nio.file.Files

import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{col, struct}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.ml.TestBundles
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, SparkSuite, TestModels}

class ModelUDFSuite extends SparkSuite with Operators {
  import spark.implicits._

  private lazy val pairs: DataFrame = {
    val df = Seq((1, 1.0, 10.0), (2, 2.0, 20.0), (3, 3.0, 30.0)).toDF("id", "x", "y")
    df.createOrReplaceTempView("pairs")
    df
  }

  private def rows(sql: String): Seq[Row] = { pairs; spark.sql(sql).collect().toSeq }

  test("a function takes a column per input, or one struct whose fields have the names of the inputs") {
    ModelUDF.register(spark, "total", TestModels.sum())
    val expected = Seq(Row(11.0), Row(22.0), Row(33.0))
    assert(rows("SELECT total(x, y) FROM pairs") == expected)
    assert(rows("SELECT total(struct(id, y, x)) FROM pairs") == expected, "by name, not by position")
    assert(rows("SELECT total(named_struct('X', x, 'Y', y)) FROM pairs") == expected, "as Spark compares names")
    assert(pairs.select(struct(col("*")) as "s").selectExpr("total(s)").collect().toSeq == expected)
  }

  test("inputs whose names differ in case only take the fields of just their names") {
    val model = TestModels.load(
      "difference",
      Nil,
      _.placeholder("v", DType.Float64, Seq(-1L))
        .placeholder("V", DType.Float64, Seq(-1L))
        .node("Sub", "d", Seq("v", "V"), Map("T" -> DType.Float64))
    )
    ModelUDF.register(spark, "difference", model)
    assert(rows("SELECT difference(named_struct('V', x, 'v', y)) FROM pairs") == Seq(Row(9.0), Row(18.0), Row(27.0)))
  }

  test("a struct may stand in any expression, and the model still runs once per row") {
    ModelUDF.register(spark, "total", TestModels.sum())
    val df = pairs.select(col("id"), struct("x", "y") as "s")
    df.createOrReplaceTempView("structs")
    val twice = spark.sql("SELECT id, round(total(s) + 1) FROM structs WHERE total(s) > 20 AND id < 3")
    assert(twice.collect().toSeq == Seq(Row(2, 23.0)))
    assert(operators(twice).size == 1 && metric(twice, "rows") == 2)
    assert(
      rows("SELECT sum(id) FROM structs GROUP BY total(s) ORDER BY total(s) DESC").map(_.getLong(0)) == Seq(3, 2, 1)
    )
    assert(rows("SELECT CASE WHEN total(s) < 20 THEN 'few' ELSE 'many' END FROM structs").head == Row("few"))
  }

  test("inputs may have other names in the struct") {
    ModelUDF.register(spark, "total", TestModels.sum(), java.util.Map.of("x", "id", "y", "x"))
    assert(rows("SELECT total(struct(id, x, y)) FROM pairs") == Seq(Row(2.0), Row(4.0), Row(6.0)))
    val e = intercept[SchemaMismatchException](
      ModelUDF.register(spark, "total", TestModels.sum(), java.util.Map.of("z", "x"))
    )
    assert(e.getMessage.contains("has no input 'z'. It has: x: float64 [?]; y: float64 [?]"))
  }

  test("a struct that lacks fields is refused when the query is analysed, with what is expected") {
    ModelUDF.register(spark, "total", TestModels.sum())
    val e = intercept[SchemaMismatchException](pairs.selectExpr("total(struct(id, x))"))
    assert(e.getMessage.contains("the struct lacks 'y' (for input y: float64 [?]). It has: id int, x double."))
    val wrong = intercept[SchemaMismatchException](pairs.selectExpr("total(struct(x, 'a' AS y))"))
    assert(wrong.getMessage.contains("to input 'y' of model 'sum': expected float64 [?], got string"))
  }

  test("a struct that is null gives null, and so does a null field") {
    ModelUDF.register(spark, "total", TestModels.sum())
    assert(rows("SELECT total(if(id = 2, null, struct(x, y))) FROM pairs") == Seq(Row(11.0), Row(null), Row(33.0)))
    assert(
      rows("SELECT total(struct(x, if(id = 2, null, y) AS y)) FROM pairs").map(_.get(0)) == Seq(11.0, null, 33.0)
    )
    assert(rows("SELECT total(x, NULL), total(NULL) FROM pairs").head == Row(null, null))
  }

  test("one input takes a plain column; several outputs are a struct") {
    ModelUDF.register(spark, "both", TestModels.twoOutputs)
    assert(rows("SELECT both(x).square, both(struct(x)).twice FROM pairs").last == Row(9f, 6f))
    ModelUDF.register(spark, "square", TestModels.twoOutputs.select("square"))
    assert(rows("SELECT square(x) FROM pairs").last == Row(9f))
  }

  test("functions are read from paths, replace each other and say what they take and give") {
    val path = TestModels.write(
      "tripled",
      _.placeholder("x", DType.Float32, Seq(-1L))
        .node("AddV2", "two", Seq("x", "x"), Map("T" -> DType.Float32))
        .node("AddV2", "three", Seq("two", "x"), Map("T" -> DType.Float32))
    )
    ModelUDF.register(spark, "times", TestModels.doubled())
    assert(ModelUDF.register(spark, "times", path.toString).name == "tripled")
    assert(rows("SELECT times(x) FROM pairs").last == Row(9f))
    assert(spark.sql("SHOW USER FUNCTIONS").as[String].collect().count(_.endsWith("times")) == 1)
    val text = spark.sql("DESCRIBE FUNCTION EXTENDED times").as[String].collect().mkString("\n")
    assert(text.contains("times(x: float32 [?])") && text.contains("model 'tripled'"))
    assert(text.contains("outputs:\n  three: float32 [?]"))
  }

  test("a model of images takes structs and bytes and returns flat arrays") {
    val bundle = TestBundles.write(Files.createTempDirectory("sparkdl-test-").resolve("colours"), "colours")
    val model = ModelUDF.registerImage(spark, "colours", bundle.toString)
    assert(model.outputs.size == 6)
    ModelUDF.registerImage(spark, "pixels", model.select("features_none"))
    val structs = TestBundles.structs(spark, TestBundles.struct(0xff0000), null)
    val average = structs.selectExpr("colours(image).features_avg")
    assert(average.collect().toSeq == Seq(Row(Seq(255f, 0f, 0f)), Row(null)))
    val bytes = TestBundles.encoded(spark, TestBundles.png(0x0000ff))
    val flat = bytes.selectExpr("pixels(content)").as[Seq[Float]].head()
    assert(flat == Seq.fill(TestBundles.Height * TestBundles.Width)(Seq(0f, 0f, 255f)).flatten)
    val e = intercept[SchemaMismatchException](ModelUDF.registerImage(spark, "pixels", TestModels.doubled()))
    assert(e.getMessage.contains("takes no images") && e.getMessage.contains("x: float32 [?]"))
  }

  test("outputs are flattened only where asked") {
    val m = TestModels.identity(DType.Float32, Seq(-1, 2, 2))
    ModelUDF.register(spark, "nested", m)
    ModelUDF.register(spark, "flat", m.flattened)
    val df = Seq(Seq(Seq(1f, 2f), Seq(3f, 4f))).toDF("a").selectExpr("nested(a)", "flat(a)")
    assert(df.head() == Row(Seq(Seq(1f, 2f), Seq(3f, 4f)), Seq(1f, 2f, 3f, 4f)))
  }

  test("the function has the plan that appendTo has") {
    val model = ModelUDF.register(spark, "total", TestModels.sum())
    val function = pairs.selectExpr("id", "total(x, y) AS z")
    val stage = model.appendTo(pairs, Seq("x", "y"), Seq("z")).select("id", "z")
    val Seq(a, b) = Seq(function, stage).map(operators(_))
    assert(a.size == 1 && b.size == 1)
    assert(a.head.call.application.copy(nullIsNull = false) == b.head.call.application)
    assert(a.head.carried.map(_.name) == b.head.carried.map(_.name) && a.head.child.getClass == b.head.child.getClass)
  }

  test("a filter does not make the operator carry what nobody needs above it") {
    ModelUDF.register(spark, "total", TestModels.sum())
    pairs
    val df = spark.sql("SELECT id FROM pairs WHERE total(x, y) > 20")
    assert(df.collect().toSeq == Seq(Row(2), Row(3)))
    assert(operators(df).map(_.carried.map(_.name)) == Seq(Seq("id")))
  }

  test("Java registers models too") {
    JavaModelUDF.register(spark)
    assert(rows("SELECT java_total(struct(x, id)) FROM pairs") == Seq(Row(2.0), Row(4.0), Row(6.0)))
  }
}
