package org.apache.spark.sql.sparkdl.versions

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Version

class SparkApiSuite extends AnyFunSuite {

  test("the implementation is that of the Spark that runs") {
    assert(SparkApi.current.getClass.getSimpleName == s"Spark${Version.spark.last.replace(".", "")}")
  }

  test("a Spark without an implementation of its own gets the newest before it, an older one the oldest") {
    val minors = Seq("4.0", "4.9", "4.10")
    Seq("4.0.5" -> "4.0", "4.8.0" -> "4.0", "4.9.0-vendor.3" -> "4.9", "4.11.0" -> "4.10", "3.5.6" -> "4.0").foreach {
      case (spark, minor) => assert(SparkApi.implemented(spark, minors) == minor, spark)
    }
  }

  test("each version that sparkdl is tested with has an implementation") {
    Version.spark.foreach { minor =>
      val name = s"Spark${minor.replace(".", "")}"
      assert(getClass.getResource(s"$name.class") != null, name)
    }
  }
}
