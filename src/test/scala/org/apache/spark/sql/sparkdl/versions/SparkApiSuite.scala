package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.SPARK_VERSION
import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Version
import org.sparkdl.errors.SettingsException

class SparkApiSuite extends AnyFunSuite {

  test("the implementation is that of the Spark that runs") {
    val minor = SPARK_VERSION.split("\\.").take(2).mkString
    assert(SparkApi.current.getClass.getSimpleName == s"Spark$minor")
  }

  test("a Spark without an implementation of its own gets the newest before it") {
    val minors = Seq("4.0", "4.9", "4.10")
    Seq("4.0.5" -> "4.0", "4.8.0" -> "4.0", "4.9.0-vendor.3" -> "4.9", "4.11.0" -> "4.10").foreach {
      case (spark, minor) => assert(SparkApi.implemented(spark, minors) == minor, spark)
    }
    assert(SparkApi.untested("4.11.0").contains("and this Spark is 4.11.0: what works there is not known"))
  }

  test("a Spark that another jar is for is refused with the versions and the jars to take") {
    Seq("3.5.6" -> Seq("4.0", "4.1"), "5.0.0" -> Seq("4.0", "4.1"), "4.1.0" -> Seq("3.5")).foreach {
      case (spark, minors) =>
        val error = intercept[SettingsException](SparkApi.implemented(spark, minors))
        assert(error.getMessage.startsWith(s"This Spark is $spark, and this jar of sparkdl "))
        assert(error.getMessage.contains(s" is for Spark ${Version.either(minors)}. Use such a Spark"))
        assert(error.getMessage.contains("sparkdl-spark3_2.12"))
    }
  }

  test("each version that sparkdl is tested with has an implementation") {
    Version.spark.foreach { minor =>
      val name = s"Spark${minor.replace(".", "")}"
      assert(getClass.getResource(s"$name.class") != null, name)
    }
  }
}
