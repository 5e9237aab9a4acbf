package org.sparkdl.doctor

import org.sparkdl.{Doctor, Settings, Version}
import org.sparkdl.testing.SparkSuite

class DoctorSuite extends SparkSuite {

  test("reports versions, the native library, the CPU and the settings of the driver") {
    val report = Doctor.examine(spark)
    val text = report.text
    val versions = Seq("Spark" -> Version.spark.last, "JDK" -> Version.java.head, "TensorFlow" -> Version.tensorflow)
    (versions ++ Seq("Scala" -> "2.13", "sparkdl" -> Version.current, "CPU" -> "", "GPU" -> ""))
      .foreach { case (topic, version) => assert(text.contains(s"$topic: $version")) }
    assert(report.healthy, text)
    assert(text.endsWith("No problems."))
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

  test("an unreadable model cache is a problem") {
    spark.conf.set(Settings.modelsDir.key, "nosuchfs://somewhere/models")
    try assert(Doctor.examine(spark).problems.map(_.topic) == Seq("model cache"))
    finally spark.conf.unset(Settings.modelsDir.key)
  }
}
