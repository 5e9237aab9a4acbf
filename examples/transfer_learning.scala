// Transfer learning in Scala, in spark-shell (see docs/scala.md for a program that is compiled):
//
//   IMAGES=target/quickstart/digits spark-shell --packages org.sparkdl:sparkdl_2.13:0.1.0 \
//     -i examples/transfer_learning.scala
//
// IMAGES has a folder of images per class (build/quickstart leaves the digits there). MODEL is a named model, by
// default TinyNet, which comes with sparkdl; BUNDLE is the bundle of another one (python -m sparkdl export).

import org.apache.spark.ml.Pipeline
import org.apache.spark.ml.classification.LogisticRegression
import org.apache.spark.ml.evaluation.MulticlassClassificationEvaluator
import org.apache.spark.ml.feature.StringIndexer
import org.sparkdl.ml.DeepImageFeaturizer

val images = spark.read
  .format("binaryFile")
  .option("recursiveFileLookup", true)
  .load(sys.env("IMAGES"))
  .selectExpr("path", "content", "element_at(split(path, '/'), -2) AS kind")
  .repartition(4)

val featurizer = new DeepImageFeaturizer().setInputCol("content").setOutputCol("features")
sys.env.get("BUNDLE") match {
  case Some(bundle) => featurizer.setWeights(bundle)
  case None         => featurizer.setModelName(sys.env.getOrElse("MODEL", "TinyNet"))
}

// The same files for the same seed: the part is drawn from the path.
val part = "pmod(xxhash64(path, 1L), 4)"
val train = images.where(s"$part > 0")
val test = images.where(s"$part = 0")

val pipeline = new Pipeline().setStages(
  Array(
    featurizer,
    new StringIndexer().setInputCol("kind").setOutputCol("label"),
    new LogisticRegression().setMaxIter(50).setRegParam(0.01)
  )
)
val predicted = pipeline.fit(train).transform(test)
val accuracy = new MulticlassClassificationEvaluator().setMetricName("accuracy").evaluate(predicted)
println(f"accuracy $accuracy%.3f")
System.exit(0)
