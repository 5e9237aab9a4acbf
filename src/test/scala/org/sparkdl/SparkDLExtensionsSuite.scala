package org.sparkdl

import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sparkdl.ModelStrategy

import org.sparkdl.testing.{SparkSuite, TestModels}

class SparkDLExtensionsSuite extends SparkSuite {

  test("a session made with the extensions has the operator after its first query, once") {
    val first = spark
    SparkSession.clearActiveSession()
    SparkSession.clearDefaultSession()
    try {
      val session = SparkSession.builder().withExtensions(new SparkDLExtensions()(_)).getOrCreate()
      assert(session ne first)
      (1 to 3).foreach(_ => session.range(2).count())
      assert(session.experimental.extraStrategies == Seq(ModelStrategy))
      assert(session.experimental.extraOptimizations.size == 2)
      val y = session.range(3).select(TestModels.doubled()(col("id").cast("float")))
      assert(y.collect().map(_.getFloat(0)).toSeq == Seq(0f, 2f, 4f))
    } finally {
      SparkSession.setActiveSession(first.asInstanceOf[SparkSession])
      SparkSession.setDefaultSession(first.asInstanceOf[SparkSession])
    }
  }
}
