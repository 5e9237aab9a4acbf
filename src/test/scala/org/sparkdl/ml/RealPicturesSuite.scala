package org.sparkdl.ml

import java.nio.file.{Files, Path, Paths}

import org.apache.spark.ml.{Pipeline, PipelineModel}
import org.apache.spark.ml.classification.LogisticRegression
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.StringIndexer
import org.apache.spark.sql.DataFrame

import org.sparkdl.testing.{SharedData, SparkSuite}

/** Real weights on real photos. The data lie beside the checkout (or where SPARKDL_SHARED_DATA says); the bundle is
  * made by build/test, and by the Python test of the same pictures.
  */
class RealPicturesSuite extends SparkSuite {
  private val bundle: Path = Paths.get("target/bundles/MobileNetV2").toAbsolutePath

  private def pictures(part: String): DataFrame = spark.read
    .format("binaryFile")
    .option("recursiveFileLookup", "true")
    .load(SharedData.directory(s"labelled/clothing_a/$part").toString)
    .selectExpr("path", "content", "element_at(split(path, '/'), -2) AS kind")
    .repartition(2)

  test("transfer learning on clothing reaches 0.97, and the saved pipeline predicts the same") {
    val (train, test) = (pictures("train"), pictures("test"))
    assume(Files.exists(bundle), s"no $bundle: run build/test, or export MobileNetV2 to it")
    val stages = Array(
      new DeepImageFeaturizer().setInputCol("content").setOutputCol("features").setWeights(bundle.toString),
      new StringIndexer().setInputCol("kind").setOutputCol("label"),
      new LogisticRegression().setMaxIter(50).setRegParam(0.01)
    )
    val model = new Pipeline().setStages(stages).fit(train)
    val predicted = model.transform(test).select("path", "label", "prediction").cache()
    val accuracy = new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(predicted)
    assert(accuracy >= 0.97)
    val saved = Files.createTempDirectory("sparkdl-saved-").resolve("model").toString
    model.write.save(saved)
    val again = PipelineModel.load(saved).transform(test).select("path", "label", "prediction")
    assert(again.collect().toSet == predicted.collect().toSet)
    predicted.unpersist()
    ()
  }
}
