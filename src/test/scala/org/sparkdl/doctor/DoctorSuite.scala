package org.sparkdl.doctor

import scala.util.Properties

import org.apache.spark.{SPARK_VERSION, SparkConf}

import org.sparkdl.engine.ExecutorMemory
import org.sparkdl.{Doctor, Settings, Version}
import org.sparkdl.testing.SparkSuite

class DoctorSuite extends SparkSuite {

  test("reports versions, the native library, the CPU and the settings of the driver") {
    val report = Doctor.examine(spark)
    val text = report.text
    val versions =
      Seq("Spark" -> SPARK_VERSION, "JDK" -> Runtime.version().feature(), "TensorFlow" -> Version.tensorflow)
    (versions ++ Seq(
      "Scala" -> Properties.versionNumberString,
      "sparkdl" -> Version.current,
      "CPU" -> "",
      "GPU" -> ""
    ))
      .foreach { case (topic, version) => assert(text.contains(s"$topic: $version")) }
    assert(report.healthy, text)
    assert(text.endsWith("No problems."))
  }

  test("a JDK is one that this Spark is tested with") {
    assert(Version.javaWith("4.1.1") == Seq(17, 21))
    assert(Version.javaWith("4.3.0") == Seq(17, 21, 25))
  }

  test("a setting that cannot be read is a problem with its remedy") {
    spark.conf.set(Settings.batchSize.key, "many")
    try {
      val report = Doctor.examine(spark)
      assert(
        !report.healthy && report.text.contains(
          "PROBLEM: Setting spark.sparkdl.batchSize = 'many': expected a whole number"
        )
      )
    } finally spark.conf.unset(Settings.batchSize.key)
  }

  test(
    "executors with Spark's defaults are no problem, whatever the limit of the cache, and the networks that need more are named"
  ) {
    val found = NativeMemory.ofExecutors(ExecutorMemory.of(new SparkConf(loadDefaults = false)))
    assert(found.ok)
    assert(found.value.contains("enough for 398 MB of weights: all named networks but VGG16, VGG19, "), found.value)
    assert(found.value.endsWith("ConvNeXtLarge, ConvNeXtXLarge"), found.value)
  }

  test("memory that is too small for any model is a problem with its remedy") {
    val small = NativeMemory.ofExecutors(ExecutorMemory(heap = 256L << 20, overhead = 384L << 20, reserved = 0))
    assert(small.line.contains("too little for any model  PROBLEM: set spark.executor.memoryOverhead=576m or more"))
    val full = NativeMemory.ofMachine(8L << 30, heap = 8L << 30)
    assert(full.ok)
    val wide = NativeMemory.ofMachine(2L << 30, heap = 3L << 30)
    assert(wide.line.endsWith("PROBLEM: set spark.driver.memory to less."))
    assert(NativeMemory.ofMachine(0, heap = 1L << 30).value == "unknown")
  }

  test("an unreadable model cache is a problem") {
    spark.conf.set(Settings.modelsDir.key, "nosuchfs://somewhere/models")
    try assert(Doctor.examine(spark).problems.map(_.topic) == Seq("model cache"))
    finally spark.conf.unset(Settings.modelsDir.key)
  }

}
