package org.sparkdl;

import java.util.Map;

import org.apache.spark.sql.SparkSession;

import org.sparkdl.testing.TestModels;

/** What a user writes in Java to register models. */
final class JavaModelUDF {
  private JavaModelUDF() {}

  static void register(SparkSession spark) {
    String path = TestModels.writeSum().toString();
    Model model = ModelUDF.register(spark, "java_total", path);
    ModelUDF.register(spark, "java_total", model.withBatchSize(2).withHandleInvalid("keep"), Map.of("y", "id"));
  }
}
