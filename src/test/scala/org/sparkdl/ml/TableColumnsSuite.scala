package org.sparkdl.ml

import java.nio.file.Path

import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions.{col, struct}

import org.sparkdl.{Model, ModelUDF}
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Columns as tables have them, one per feature, in stages, columns and SQL functions. */
class TableColumnsSuite extends SparkSuite {
  import spark.implicits._

  /** Inputs as Keras' tutorials on tables have them: a number, a whole number and a text per row. */
  private def columnModel(g: GraphDefs): GraphDefs = g
    .placeholder("age", DType.Float32, Seq(-1L, 1L))
    .placeholder("rooms", DType.Int64, Seq(-1L))
    .placeholder("colour", DType.Str, Seq(-1L, 1L))
    .placeholder("town", DType.Str, Seq(-1L))
    .node("AddV2", "twice", Seq("age", "age"), Map("T" -> DType.Float32))
    .node("AddV2", "more", Seq("rooms", "rooms"), Map("T" -> DType.Int64))
    .node("StringUpper", "c", Seq("colour"), Map())
    .node("StringUpper", "t", Seq("town"), Map())

  private lazy val file: Path = TestModels.write("table", columnModel)
  private lazy val inputs = Array("age", "rooms", "colour", "town")
  private lazy val outputs = Array("twice", "more", "c", "t")

  private lazy val table: DataFrame =
    Seq((41.5, Array(3), "red", Array("Bern")), (7.0, Array(1), "blue", Array("Rome"))).toDF(inputs.toSeq: _*)

  private val expected =
    Seq(Row(Seq(83f), 6L, Seq("RED"), "BERN"), Row(Seq(14f), 2L, Seq("BLUE"), "ROME"))

  private def stage = new KerasTransformer().setModelFile(file.toString).setInputCols(inputs).setOutputCols(outputs)

  private def results(df: DataFrame) = df.select(outputs.map(col).toSeq: _*).collect().toSeq

  test("scalars feed inputs of one element per row, and arrays of one element feed inputs of scalars") {
    assert(results(stage.transform(table)) == expected)
    ModelUDF.register(spark, "tabular", file.toString)
    val called = table.selectExpr("tabular(age, rooms, colour, town) AS r").select("r.*")
    assert(results(called) == expected)
    val model = Model.load(file.toString)
    assert(results(table.select(model(inputs.map(col).toSeq: _*) as "r").select("r.*")) == expected)
    assert(results(model.appendTo(table, inputs.toSeq, outputs.toSeq)) == expected)
  }

  test("a vector of one number feeds a scalar; arrays of another length are invalid rows, with the reason") {
    val scalar = new KerasTransformer().setModelFile(TestModels.write("scalar", doubled).toString).setInputCol("x")
    val vectors = Seq(Tuple1(Vectors.dense(2.0)), Tuple1(Vectors.sparse(1, Nil))).toDF("x")
    assert(scalar.setOutputCol("y").transform(vectors).select("y").as[Float].collect().toSeq == Seq(4f, 0f))
    val kept = scalar.setHandleInvalid("keep").setErrorCol("e")
    val longer = Seq(Tuple1(Array(1f)), Tuple1(Array(1f, 2f))).toDF("x")
    val reasons = kept.transform(longer).select("e").collect().map(_.getString(0))
    assert(reasons(0) == null && reasons(1).contains("expected 1 elements in dimension 1, got 2"))
  }

  private def doubled(g: GraphDefs): GraphDefs =
    g.placeholder("x", DType.Float32, Seq(-1L)).node("AddV2", "y", Seq("x", "x"), Map("T" -> DType.Float32))

  test("a scalar does not feed an input of several elements") {
    val two = TestModels.write(
      "two",
      _.placeholder("x", DType.Float32, Seq(-1L, 2L)).node("AddV2", "y", Seq("x", "x"), Map("T" -> DType.Float32))
    )
    val e = intercept[SchemaMismatchException](
      new KerasTransformer().setModelFile(two.toString).setInputCol("age").transformSchema(table.schema)
    )
    assert(e.getMessage.contains("expected float32 [?, 2], got double; a row of the input has 1 dimensions"))
  }

  private lazy val nested = table.select(struct("*") as "s")

  private def graph =
    new TFTransformer().setTfInputGraph(file.toString).setOutputMapping(outputs.map(o => o -> o).toMap)

  test("a struct feeds the inputs by the names of its fields, in stages and columns as in functions") {
    val byName = new KerasTransformer().setModelFile(file.toString).setInputCol("s").setOutputCols(outputs)
    assert(results(byName.transform(nested)) == expected)
    val model = Model.load(file.toString)
    assert(results(nested.select(model(col("s")) as "r").select("r.*")) == expected)
    assert(results(model.appendTo(nested, Seq("s"), outputs.toSeq)) == expected)
    assert(results(graph.setInputMapping(Map("s" -> "*")).transform(nested)) == expected)
    val poor = table.select(struct("age", "rooms") as "s")
    val e = intercept[SchemaMismatchException](byName.transformSchema(poor.schema))
    assert(e.getMessage.contains("finds its inputs in the struct column 's' by name: the struct lacks 'colour' (for"))
    assert(e.getMessage.contains("It has: age double, rooms array<int>. Set inputCols to one column or field"))
    val missing = intercept[SchemaMismatchException](poor.select(model(col("s"))))
    assert(missing.getMessage.startsWith("Model 'table' finds its inputs in its struct argument by name"))
    val appended = intercept[SchemaMismatchException](model.appendTo(poor, Seq("s"), outputs.toSeq))
    assert(appended.getMessage.startsWith("Model 'table' finds its inputs in the struct column 's' by name"))
  }

  test("a graph takes a struct by names only if it is the only column, and a struct") {
    def message(mapping: (String, String)*) =
      intercept[SchemaMismatchException](
        graph.setInputMapping(mapping.toMap).transformSchema(table.schema)
      ).getMessage
    assert(message("age" -> "*").contains("'*' in inputMapping is for one struct column"))
    assert(message("age" -> "*").endsWith("or this one column alone. 'age' is double."))
    assert(message("age" -> "age", "rooms" -> "*").endsWith("or this one column alone."))
  }

  test("a field of a struct can be named wherever a column can") {
    val fields = inputs.map(i => s"s.$i")
    assert(results(stage.setInputCols(fields).transform(nested)) == expected)
    val deeper = nested.select(struct("s") as "outer.most")
    assert(results(stage.setInputCols(inputs.map(i => s"`outer.most`.s.$i")).transform(deeper)) == expected)
    assert(results(graph.setInputMapping(fields.zip(inputs).toMap).transform(nested)) == expected)
    val model = Model.load(file.toString)
    assert(results(model.appendTo(nested, fields.toSeq, outputs.toSeq)) == expected)
  }

  test("a column whose name has a dot comes before a field, and a path that leads nowhere is refused") {
    val scalar = new KerasTransformer().setModelFile(TestModels.write("scalar", doubled).toString).setOutputCol("y")
    val both = Seq((1f, 10f)).toDF("a", "s.v").select(struct(col("a") as "v") as "s", col("`s.v`"))
    assert(scalar.setInputCol("s.v").transform(both).select("y").as[Float].head() == 20f)
    val e = intercept[SchemaMismatchException](scalar.setInputCol("s.x").transformSchema(both.schema))
    assert(e.getMessage.contains("there is no column 's.x'. The DataFrame has: s, s.v; 's' has the fields: v."))
  }

  test("an image in a struct is taken as one beside it, and named in messages by where it came from") {
    val images = TestBundles.structs(spark, TestBundles.struct(0xff0000, "red.png")).select(struct("image") as "s")
    val featurizer = new DeepImageFeaturizer()
      .setInputCol("s.image")
      .setOutputCol("f")
      .setModelName("MobileNetV2")
      .setModelDir(TestBundles.cache().toString)
    assert(featurizer.transform(images).select("f").head().getAs[org.apache.spark.ml.linalg.Vector](0)(0) == 255.0)
    val broken =
      images.select(struct(col("s.image").withField("height", col("s.image.height") + 1) as "image") as "s")
    val e = intercept[Exception](featurizer.transform(broken).collect())
    assert(Iterator.iterate[Throwable](e)(_.getCause).takeWhile(_ != null).exists(_.getMessage.contains("red.png")))
  }
}
