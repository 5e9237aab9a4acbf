package org.sparkdl.ml

import java.nio.file.Files

import org.apache.spark.ml.attribute.{Attribute, AttributeGroup, NominalAttribute}
import org.apache.spark.ml.evaluation.{
  BinaryClassificationEvaluator,
  MulticlassClassificationEvaluator,
  RegressionEvaluator
}
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.types.{DoubleType, FloatType}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.files.Sha256
import org.sparkdl.model.{Bundle, GraphFiles, Meaning, ModelDefinition}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.{SparkSuite, TestModels}

/** The columns that Spark ML's evaluators take. */
class PredictionsSuite extends SparkSuite {
  import spark.implicits._

  /** A model that gives its inputs: a number in "one" and three in "three", which mean what is said. */
  private def bundle(meanings: (String, Meaning)*)(labels: String*): String = {
    val graph = TestModels.write(
      "given",
      _.placeholder("a", DType.Float32, Seq(-1L, 1L))
        .placeholder("b", DType.Float32, Seq(-1L, 3L))
        .node("Identity", "one", Seq("a"), Map("T" -> DType.Float32))
        .node("Identity", "three", Seq("b"), Map("T" -> DType.Float32))
    )
    val f = (name: String, n: Long) => TensorSpec(name, s"$name:0", DType.Float32, Some(Seq(-1L, n)))
    val folder = Files.createTempDirectory("sparkdl-predictions-").resolve("given")
    Bundle.write(
      ModelDefinition(
        "given",
        GraphFiles(Sha256.of(graph), graph, Nil),
        Seq(f("a", 1), f("b", 3)),
        Seq(f("one", 1), f("three", 3)),
        labels = if (labels.isEmpty) None else Some(labels.map(l => l -> l)),
        source = Meaning.recorded(meanings.toMap)
      ),
      folder
    )
    folder.toString
  }

  private def stage(file: String, output: String) =
    new KerasTransformer().setModelFile(file).setInputCols(Array("a", "b")).setPredictionOutput(output)

  private def all(stage: KerasTransformer) =
    stage.setPredictionCol("prediction").setProbabilityCol("probability").setRawPredictionCol("rawPrediction")

  private lazy val df: DataFrame = Seq(
    (0.25f, Array(0.2f, 0.3f, 0.5f), 0.0),
    (0.75f, Array(0.6f, 0.3f, 0.1f), 1.0),
    (-2f, Array(-1f, 2f, 0.5f), 0.0)
  ).toDF("a", "b", "label").coalesce(1)

  private def vectors(out: DataFrame, name: String) = out.select(name).collect().map(_.getAs[Vector](0).toArray)
  private def doubles(out: DataFrame) = out.select("prediction").as[Double].collect().toSeq
  private def near(found: Array[Double], expected: Double*) =
    assert(found.length == expected.length && found.zip(expected).forall { case (a, b) => math.abs(a - b) < 1e-6 })

  private def sigmoid(z: Double) = 1 / (1 + math.exp(-z))

  test("a number is the prediction, as double, and nothing else is made of it") {
    val numbers = stage(bundle()(), "one").setPredictionCol("prediction")
    val out = numbers.transform(df)
    assert(out.columns.toSeq == Seq("a", "b", "label", "prediction"), "no column of outputs that was not asked for")
    assert(out.schema("prediction").dataType == DoubleType && doubles(out) == Seq(0.25, 0.75, -2.0))
    assert(math.abs(new RegressionEvaluator().setMetricName("mae").evaluate(out) - 2.5 / 3) < 1e-9)
    val e = intercept[SchemaMismatchException](numbers.setProbabilityCol("p").transformSchema(df.schema))
    assert(e.getMessage.contains("it is a number and says nothing of classes, which probabilityCol needs"))
  }

  test("one probability or logit gives two classes") {
    val p = all(stage(bundle("one" -> Meaning.Probability)(), "one")).transform(df.limit(2))
    assert(doubles(p) == Seq(0.0, 1.0))
    vectors(p, "probability").zip(Seq(0.25, 0.75)).foreach { case (v, q) => near(v, 1 - q, q) }
    assert(new BinaryClassificationEvaluator().evaluate(p) == 1.0)
    val z = all(stage(bundle("one" -> Meaning.Logit)(), "one")).transform(df)
    assert(doubles(z) == Seq(1.0, 1.0, 0.0))
    near(vectors(z, "rawPrediction")(2), 2, -2)
    near(vectors(z, "probability")(2), 1 - sigmoid(-2), sigmoid(-2))
  }

  test("probabilities or logits give as many classes, with their number in the metadata") {
    val p = all(stage(bundle("three" -> Meaning.Probabilities)(), "three")).transform(df)
    assert(doubles(p) == Seq(2.0, 0.0, 1.0))
    near(vectors(p, "probability")(0), 0.2f, 0.3f, 0.5f)
    assert(AttributeGroup.fromStructField(p.schema("probability")).size == 3)
    assert(AttributeGroup.fromStructField(p.schema("rawPrediction")).size == 3)
    val nominal = Attribute.fromStructField(p.schema("prediction")).asInstanceOf[NominalAttribute]
    assert(nominal.getNumValues.contains(3))
    val planned = all(stage(bundle("three" -> Meaning.Probabilities)(), "three")).transformSchema(df.schema)
    assert(planned("prediction").metadata == p.schema("prediction").metadata)
    assert(new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(p) == 0.0)
    val z = all(stage(bundle("three" -> Meaning.Logits)(), "three")).transform(df)
    val powers = Seq(-1, 2, 0.5).map(math.exp)
    near(vectors(z, "probability")(2), powers.map(_ / powers.sum): _*)
    near(vectors(z, "rawPrediction")(2), -1, 2, 0.5)
  }

  test("thresholds divide the probabilities, as in Spark ML") {
    val one = stage(bundle("one" -> Meaning.Probability)(), "one").setPredictionCol("prediction")
    assert(doubles(one.setThresholds(Array(0.8, 0.2)).transform(df.limit(2))) == Seq(1.0, 1.0))
    assert(doubles(one.setThresholds(Array(0.0, 0.5)).transform(df.limit(2))) == Seq(0.0, 0.0))
    val e = intercept[SchemaMismatchException](one.setThresholds(Array(1, 1, 1)).transformSchema(df.schema))
    assert(e.getMessage.contains("there are 2 classes and 3 thresholds. Set thresholds to one per class"))
    val wrong = intercept[SparkDLException](one.setThresholds(Array(0, 0)))
    assert(wrong.getMessage == "thresholds must be above 0, except for one at most, which may be 0; got [0.0, 0.0].")
  }

  test("labels are given back and stand in the metadata") {
    val labelled = stage(bundle("three" -> Meaning.Probabilities)("ant", "bee", "cow"), "three")
      .setPredictionCol("prediction")
      .setPredictedLabelCol("predictedLabel")
    val out = labelled.transform(df)
    assert(out.select("predictedLabel").as[String].collect().toSeq == Seq("cow", "ant", "bee"))
    val nominal = Attribute.fromStructField(out.schema("prediction")).asInstanceOf[NominalAttribute]
    assert(nominal.values.get.toSeq == Seq("ant", "bee", "cow"))
    val folder = Files.createTempDirectory("sparkdl-predictions-").resolve("stage").toString
    labelled.setThresholds(Array(1, 1, 9)).write.save(folder)
    val loaded = KerasTransformer.load(folder)
    assert(loaded.transform(df).select("predictedLabel").as[String].collect().toSeq == Seq("bee", "ant", "bee"))
    val none = stage(bundle("three" -> Meaning.Probabilities)(), "three").setPredictedLabelCol("l")
    val e = intercept[SchemaMismatchException](none.transformSchema(df.schema))
    assert(e.getMessage.contains("the model has no labels, which predictedLabelCol needs"))
  }

  test("what an output does not say is refused with the reason") {
    def message(meanings: (String, Meaning)*)(output: String) = intercept[SchemaMismatchException](
      stage(bundle(meanings: _*)(), output).setPredictionCol("p").transformSchema(df.schema)
    ).getMessage
    assert(message()("three").contains("nothing says what its numbers mean. Take its numbers from outputCol"))
    assert(
      message("three" -> Meaning.Numbers)("three").contains("it has several numbers per row that are no classes")
    )
    assert(message("three" -> Meaning.Independent)("three").contains("any number of its classes may be right"))
    val unnamed = new KerasTransformer().setModelFile(bundle()()).setInputCols(Array("a", "b")).setPredictionCol("p")
    val e = intercept[SchemaMismatchException](unnamed.transformSchema(df.schema))
    assert(e.getMessage.contains("has 2 outputs (one: float32 [?, 1]; three: float32 [?, 3])"))
    assert(e.getMessage.contains("set predictionOutput to its name"))
    val taken = intercept[SchemaMismatchException](
      stage(bundle()(), "one").setPredictionCol("label").transformSchema(df.schema)
    )
    assert(taken.getMessage.contains("the DataFrame has a column 'label' already; set predictionCol to another name"))
  }

  test("outputs stay beside predictions where they are named, and become scalars where they are one number") {
    val both = stage(bundle()(), "one").setPredictionCol("prediction").setOutputCols(Array("x", "y"))
    assert(both.transform(df).columns.toSeq == Seq("a", "b", "label", "x", "y", "prediction"))
    val e = intercept[SchemaMismatchException](both.setOutputMode("scalar").transformSchema(df.schema))
    assert(e.getMessage.contains("Output 'three' of model 'given' is float32 [?, 3], which cannot become a scalar"))
    val doubled = TestModels.write(
      "doubled",
      _.placeholder("a", DType.Float32, Seq(-1L, 1L)).node("AddV2", "y", Seq("a", "a"), Map("T" -> DType.Float32))
    )
    val scalar = new KerasTransformer().setModelFile(doubled.toString).setInputCol("a").setOutputMode("scalar")
    val out = scalar.setOutputCol("y").transform(df).select("y")
    assert(out.schema("y").dataType == FloatType && out.collect().toSeq == Seq(Row(0.5f), Row(1.5f), Row(-4f)))
  }

  test("a fitted model has the same columns, and rows that cannot be used have none") {
    val fitted = new KerasModel()
      .setModelFile(bundle("one" -> Meaning.Probability)())
      .setInputCols(Array("a", "b"))
      .setPredictionOutput("one")
      .setPredictionCol("prediction")
      .setRawPredictionCol("rawPrediction")
      .setHandleInvalid("keep")
    val rows = Seq((Some(0.75f), Array(0f, 0f, 0f)), (None, Array(0f, 0f, 0f))).toDF("a", "b").coalesce(1)
    val found = fitted.transform(rows).select("prediction", "rawPrediction").collect()
    assert(found(0).getDouble(0) == 1.0 && found(1) == Row(null, null))
  }
}
