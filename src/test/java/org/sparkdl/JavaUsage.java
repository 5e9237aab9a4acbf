package org.sparkdl;

import static org.apache.spark.sql.functions.col;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

import org.sparkdl.errors.SparkDLException;
import org.sparkdl.image.ImageSchema;
import org.sparkdl.ml.DeepImageFeaturizer;
import org.sparkdl.ml.DeepImagePredictor;
import org.sparkdl.ml.KerasImageFileTransformer;
import org.sparkdl.ml.KerasTransformer;
import org.sparkdl.ml.TFImageTransformer;
import org.sparkdl.ml.TFTransformer;

/** What a program in Java does with sparkdl: every stage, models as columns and SQL functions, a pipeline. */
public final class JavaUsage {
  private final SparkSession spark;

  public JavaUsage(SparkSession spark) {
    this.spark = spark;
  }

  public List<Row> tensors(Dataset<Row> rows, String graph) {
    TFTransformer stage =
        new TFTransformer()
            .setTfInputGraph(graph)
            .setInputMapping(Map.of("content", "x"))
            .setOutputMapping(Map.of("y", "tripled"))
            .setSeed(7L)
            .setBatchSize(16)
            .setHandleInvalid("skip");
    return stage.transform(rows).select("id", "tripled").collectAsList();
  }

  public List<Row> keras(Dataset<Row> rows, String model) {
    KerasTransformer stage =
        new KerasTransformer()
            .setModelFile(model)
            .setInputCols(new String[] {"content"})
            .setOutputCols(new String[] {"tripled"});
    return stage.transform(rows).select("id", "tripled").collectAsList();
  }

  public List<Row> images(Dataset<Row> pictures, String graph) {
    TFImageTransformer stage =
        new TFImageTransformer()
            .setInputCol("content")
            .setOutputCol("colours")
            .setTfInputGraph(graph)
            .setOutputTensor("features_avg")
            .setChannelOrder("RGB");
    return stage.transform(pictures).select("id", "colours").collectAsList();
  }

  public List<Row> files(Dataset<Row> files, String model) {
    KerasImageFileTransformer stage =
        new KerasImageFileTransformer()
            .setInputCol("content")
            .setOutputCol("colours")
            .setModelFile(model)
            .setTargetSize(new int[] {8, 6})
            .setPreprocessing("tf");
    return stage.transform(files).select("id", "colours").collectAsList();
  }

  /** A pipeline of two networks, saved, loaded and applied. */
  public List<Row> pipeline(Dataset<Row> pictures, String modelDir, String path) throws IOException {
    DeepImageFeaturizer featurizer =
        new DeepImageFeaturizer()
            .setInputCol("content")
            .setOutputCol("features")
            .setModelName("MobileNetV2")
            .setModelDir(modelDir);
    DeepImagePredictor predictor =
        new DeepImagePredictor()
            .setInputCol("content")
            .setOutputCol("classes")
            .setModelName("MobileNetV2")
            .setModelDir(modelDir)
            .setDecodePredictions(true)
            .setTopK(1);
    Pipeline pipeline = new Pipeline().setStages(new PipelineStage[] {featurizer, predictor});
    pipeline.fit(pictures).write().overwrite().save(path);
    return PipelineModel.load(path)
        .transform(pictures)
        .selectExpr("id", "features", "classes[0].description")
        .collectAsList();
  }

  /** A model as a column, and SQL functions of it. */
  public List<Row> model(Dataset<Row> rows, String graph) {
    Model model = Model.load(graph).withBatchSize(8).select("y");
    ModelUDF.register(spark, "tripled_field", model, Map.of("x", "content"));
    rows.selectExpr("tripled_field(struct(content))").collectAsList();
    ModelUDF.register(spark, "tripled", graph);
    rows.select(col("id"), model.apply(col("content")).as("y")).createOrReplaceTempView("java_rows");
    return spark.sql("SELECT id, y, tripled(y) AS z FROM java_rows").collectAsList();
  }

  /** How many images a folder has. */
  public long count(String folder) {
    return ImageSchema.readImages(folder, false, -1, true, 1.0, 0L).count();
  }

  /** The message of an error that can be caught by its type. */
  public String refused() {
    try {
      new TFImageTransformer().setChannelOrder("HSV");
      return "";
    } catch (SparkDLException e) {
      return e.getMessage();
    }
  }
}
