package org.sparkdl.ml

import java.net.URI
import java.nio.file.{Files, Path}

import scala.collection.immutable.ListMap

import org.apache.spark.ml.{Model, Pipeline, PipelineModel}
import org.apache.spark.ml.linalg.Vector
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.sql.Row

import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException, SparkDLException}
import org.sparkdl.model.Bundle
import org.sparkdl.testing.SparkSuite

/** What Python's estimators have trained, as Scala loads it. */
class FittedModelsSuite extends SparkSuite {
  import TestBundles._

  private def folder() = Files.createTempDirectory("sparkdl-fitted-")
  private lazy val colours = write(folder().resolve("colours"), "colours", labels = Some(labels))

  private def classifier(model: Path = colours) =
    new ImageClassifierModel().setInputCol("content").setModelFile(model.toString)

  private def pictures = encoded(spark, fourColours.take(3).map(png(_)): _*)

  private def usual = """{"val_loss": [0.5, NaN], "loss": [2, 1]}"""

  /** A copy of a bundle, with a history and a file of Keras. */
  private def trained(bundle: Path, history: String = usual): Path = {
    val keras = Files.writeString(folder().resolve("anything.keras"), "of Keras")
    val about = ListMap("rows" -> "7", "base" -> "x", "c" -> "", "b" -> "", "a" -> "", "history" -> history)
    val model = Bundle.read(bundle).copy(source = about, keras = Some(keras.toString))
    val made = folder().resolve("trained")
    Bundle.write(model, made)
    made
  }

  test("a classifier gives prediction, probabilities and label") {
    val out = classifier().transform(pictures)
    assert(out.columns.toSeq == Seq("id", "path", "content", "prediction", "probability", "predictedLabel"))
    val best = out.select("prediction", "predictedLabel").collect().toSeq
    assert(best == Seq(Row(0.0, "0"), Row(1.0, "1"), Row(2.0, "2")))
    assert(out.select("probability").collect().map(_.getAs[Vector](0).argmax).toSeq == Seq(0, 1, 2))
    assert(classifier().labels == Seq("red", "green", "blue"))
  }

  test("columns without a name are left out, and one must have a name") {
    val some = classifier().setProbabilityCol("").setPredictionCol("")
    assert(some.transform(pictures).columns.toSeq == Seq("id", "path", "content", "predictedLabel"))
    val e = intercept[SparkDLException](some.setPredictedLabelCol("").transform(pictures))
    assert(
      e.getMessage.contains("predictionCol, probabilityCol and predictedLabelCol are all empty; name one of them")
    )
  }

  test("a column that exists is refused by the name of its param") {
    def message(stage: ImageClassifierModel) =
      intercept[SchemaMismatchException](stage.transformSchema(pictures.schema)).getMessage
    assert(message(classifier().setPredictedLabelCol("path")).contains("set predictedLabelCol to another name"))
    assert(message(classifier().setPredictionCol("p").setProbabilityCol("p")).contains("'p'"))
  }

  test("a model that is not a classifier is refused with what was expected") {
    val bare = write(folder().resolve("bare"), "bare", top = false)
    val e = intercept[InvalidModelException](classifier(bare).transform(pictures))
    assert(e.getMessage.contains("'bare' is not a model of ImageClassifierEstimator"))
    assert(e.getMessage.contains("the outputs prediction, predictions and label"))
  }

  test("history and the file of Keras are in the bundle, and in what is saved and loaded") {
    val path = folder().resolve("pipeline").toString
    new Pipeline().setStages(Array(classifier(trained(colours)))).fit(pictures).write.save(path)
    val loaded = PipelineModel.load(path).stages.head.asInstanceOf[ImageClassifierModel]
    assert(loaded.history.keys.toSeq == Seq("val_loss", "loss") && loaded.history("loss") == Seq(2.0, 1.0))
    assert(loaded.history("val_loss").head == 0.5 && loaded.history("val_loss")(1).isNaN)
    assert(Files.readString(Path.of(URI.create(loaded.getModelFile)).resolve("model.keras")) == "of Keras")
    assert(classifier().history.isEmpty)
  }

  test("the summary has facts in their order and the best epoch") {
    val lines = classifier(trained(colours)).summary.linesIterator.toSeq
    assert(lines.take(3) == Seq("model 'colours'", "  rows: 7", "  base: x") && lines(5) == "  a: ")
    assert(
      lines.drop(6) ==
        Seq("trained for 2 epoch(s); least val_loss in epoch 1:", "  val_loss 0.5, loss 2")
    )
  }

  test("a metric with several results has an entry for each of them, and the first ones in the summary") {
    val many = (0 to 8).mkString("[", ", ", "]")
    val history = s"""{"b": [[0.25, NaN], [0.5, 1]], "loss": [2, 1], "a": [[[1, 2], [3, 4]]], "c": [[], $many]}"""
    val model = classifier(trained(colours, history))
    val expected =
      Seq("b[0]", "b[1]", "loss", "a[0][0]", "a[0][1]", "a[1][0]", "a[1][1]") ++ (0 to 8).map(i => s"c[$i]")
    assert(model.history.keys.toSeq == expected)
    assert(model.history("b[0]") == Seq(0.25, 0.5) && model.history("b[1]")(0).isNaN)
    assert(model.history("a[1][0]") == Seq(3.0) && model.history("loss") == Seq(2.0, 1.0))
    val c = (0 to 7).map(i => s"c[$i] $i").mkString(", ")
    assert(model.summary.linesIterator.toSeq.last == s"  b[0] 0.5, b[1] 1, loss 1, $c, ... (9 of c)")
  }

  test("the history is not shown with the model") {
    assert(!Bundle.read(trained(colours)).describe.contains("val_loss"))
  }

  test("fitted stages are models of Spark ML") {
    val fitted: Seq[Model[_]] = Seq(new KerasModel(), new ImageClassifierModel())
    fitted.foreach(m => assert(m.copy(ParamMap.empty).asInstanceOf[Model[_]].uid == m.uid && !m.hasParent))
  }
}
