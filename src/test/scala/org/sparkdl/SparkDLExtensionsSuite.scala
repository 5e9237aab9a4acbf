package org.sparkdl

import java.nio.file.Files

import org.apache.spark.sql.Row
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.functions.col
import org.apache.spark.sql.sparkdl.execution.ModelStrategy

import org.sparkdl.sql.ModelCatalog
import org.sparkdl.testing.{Operators, SparkSuite, TestModels}

class SparkDLExtensionsSuite extends SparkSuite with Operators {

  test("a session created with the extensions has the operator after its first query, once") {
    inExtended { session =>
      (1 to 3).foreach(_ => session.range(2).count())
      assert(session.experimental.extraStrategies == Seq(ModelStrategy))
      val rules = session.experimental.extraOptimizations
      assert(rules.nonEmpty && rules == rules.distinct)
      val y = session.range(3).select(TestModels.doubled()(col("id").cast("float")))
      assert(y.collect().map(_.getFloat(0)).toSeq == Seq(0f, 2f, 4f))
    }
  }

  test("with the extensions, calls of a catalog's functions on rows in the query are batched") {
    val folder = Files.createTempDirectory("sparkdl-catalog-")
    TestModels.doubled().save(folder.resolve("twice").toString)
    inExtended { session =>
      session.conf.set("spark.sql.catalog.extended", classOf[ModelCatalog].getName)
      session.conf.set("spark.sql.catalog.extended.path", folder.toString)
      val df = session.sql("SELECT extended.twice(x) FROM VALUES (1f), (null), (3f) AS t(x)")
      assert(df.collect().toSeq == Seq(Row(2f), Row(null), Row(6f)))
      assert(operators(df).size == 1)
      assert(session.sql("SELECT extended.twice(21)").head() == Row(42f))
    }
  }

  private def inExtended(body: SparkSession => Unit): Unit = {
    val first = spark
    SparkSession.clearActiveSession()
    SparkSession.clearDefaultSession()
    try {
      val session = SparkSession.builder().withExtensions(new SparkDLExtensions()(_)).getOrCreate()
      assert(session ne first)
      body(session)
    } finally {
      SparkSession.setActiveSession(first.asInstanceOf[SparkSession])
      SparkSession.setDefaultSession(first.asInstanceOf[SparkSession])
    }
  }
}
