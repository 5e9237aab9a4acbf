package org.sparkdl.sql

import java.nio.file.{Files, Path}

import org.apache.spark.sql.{AnalysisException, DataFrame, Row}
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation

import org.sparkdl.errors.{ModelNotFoundException, SchemaMismatchException, SettingsException}
import org.sparkdl.files.LocalFiles
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, SparkSuite, TestModels}

class ModelCatalogSuite extends SparkSuite with Operators {
  import spark.implicits._

  private lazy val folder: Path = {
    val made = Files.createTempDirectory("sparkdl-catalog-")
    TestModels.doubled().save(made.resolve("twice").toString)
    TestModels.sum().save(made.resolve("total").toString)
    TestModels.doubled(DType.Float32, Seq(-1, 2)).save(made.resolve("vectors").toString)
    spark.conf.set("spark.sql.catalog.models", classOf[ModelCatalog].getName)
    spark.conf.set("spark.sql.catalog.models.path", made.toString)
    spark.range(0, 100, 1, 3).selectExpr("id", "cast(id AS double) AS x").createOrReplaceTempView("inputs")
    made
  }

  private def query(sql: String): DataFrame = { folder; spark.sql(sql) }

  test("every bundle in the folder is a function, in one operator with the calls of the same model") {
    val df = query("SELECT id, models.twice(x) AS y FROM inputs WHERE models.twice(x) > 190 AND id % 2 = 0")
    assert(df.collect().toSeq == Seq(Row(96L, 192f), Row(98L, 196f)))
    assert(operators(df).size == 1 && metric(df, "rows") == 50)
    assert(query("SELECT sum(models.total(x, id)) FROM inputs").head() == Row(9900.0))
    assert(query("SELECT max(models.total(struct(id AS y, x))) FROM inputs").head() == Row(198.0))
    assert(df.queryExecution.analyzed.toString.contains("(twice, x"), "a short name in plans and messages")
    assert(query("SELECT models.TWICE(x) FROM inputs ORDER BY models.twice(x) DESC LIMIT 1").head() == Row(198f))
  }

  test("a permanent view may use them") {
    query("CREATE TABLE catalog_numbers USING parquet AS SELECT id, cast(id AS double) AS x FROM range(10)")
    try {
      query("CREATE VIEW catalog_doubled AS SELECT id, models.twice(x) AS y FROM catalog_numbers")
      val df = query("SELECT id FROM catalog_doubled WHERE y > 14")
      assert(df.as[Long].collect().toSet == Set(8L, 9L) && operators(df).size == 1)
      val other = spark.newSession()
      other.conf.set("spark.sql.catalog.models", classOf[ModelCatalog].getName)
      other.conf.set("spark.sql.catalog.models.path", folder.toString)
      assert(other.sql("SELECT sum(y) FROM catalog_doubled").head() == Row(90.0))
    } finally {
      spark.sql("DROP VIEW IF EXISTS catalog_doubled")
      spark.sql("DROP TABLE catalog_numbers")
      ()
    }
  }

  test("a runtime filter that Spark makes of one side of a join applies a function of a catalog") {
    val settings = Map(
      "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold" -> "0",
      "spark.sql.autoBroadcastJoinThreshold" -> "-1"
    )
    for (table <- Seq("left_numbers", "right_numbers"))
      query(s"CREATE TABLE $table USING parquet AS SELECT id, cast(id AS double) AS x FROM range(10)")
    settings.foreach { case (name, value) => spark.conf.set(name, value) }
    try {
      val df = query(
        "SELECT l.id FROM left_numbers l JOIN right_numbers r ON l.id = r.id WHERE pmod(cast(models.twice(r.x) AS int), 97) IN (2, 16)"
      )
      assert(df.queryExecution.optimizedPlan.toString.contains("might_contain"))
      assert(df.collect().map(_.getLong(0)).toSet == Set(1L, 8L))
    } finally {
      settings.keys.foreach(spark.conf.unset)
      for (table <- Seq("left_numbers", "right_numbers")) spark.sql(s"DROP TABLE $table")
    }
  }

  test("calls on constants and on rows that the query spells out give what other calls give") {
    assert(query("SELECT models.twice(21), models.total(1, 2), models.twice(null)").head() == Row(42f, 3.0, null))
    val local = query("SELECT models.vectors(a) FROM VALUES (array(1f, 2f)), (null), (array(3f, 4f)) AS t(a)")
    assert(local.collect().toSeq == Seq(Row(Seq(2f, 4f)), Row(null), Row(Seq(6f, 8f))))
    assert(local.queryExecution.optimizedPlan.isInstanceOf[LocalRelation], "Spark evaluates it while it plans")
    assert(query("SELECT count(*) FROM inputs WHERE x < models.twice(5)").head() == Row(10L))
  }

  test("wrong arguments are refused when the query is analysed") {
    val e = intercept[SchemaMismatchException](query("SELECT models.twice('a') FROM inputs"))
    assert(e.getMessage.contains("to input 'x' of model 'doubled': expected float32 [?], got string"))
    assert(
      intercept[SchemaMismatchException](query("SELECT models.total(x) FROM inputs")).getMessage
        .contains("2 input(s)")
    )
    val missing = intercept[SchemaMismatchException](query("SELECT models.total(struct(x)) FROM inputs"))
    assert(missing.getMessage.contains("the struct lacks 'y' (for input y: float64 [?])"))
    assert(intercept[AnalysisException](query("SELECT models.nope(x) FROM inputs")).getMessage.contains("nope"))
    assert(intercept[AnalysisException](query("SELECT models.a.twice(x) FROM inputs")).getMessage.contains("twice"))
  }

  test("the functions are listed") {
    val listed = query("SHOW USER FUNCTIONS IN models").as[String].collect().toSeq
    assert(Set("models.total", "models.twice", "models.vectors").subsetOf(listed.toSet))
  }

  test("a bundle that is replaced is read again, and a new one is found") {
    query("SELECT 1")
    val place = folder.resolve("changing")
    TestModels.doubled().save(place.toString)
    assert(query("SELECT models.changing(x) FROM inputs WHERE id = 3").head() == Row(6f))
    LocalFiles.deleteTree(place)
    TestModels.identity(DType.Float32, Seq(-1)).save(place.toString)
    Files.setLastModifiedTime(place.resolve("model.json"), java.nio.file.attribute.FileTime.fromMillis(0))
    assert(query("SELECT models.changing(x) FROM inputs WHERE id = 3").head() == Row(3f))
    LocalFiles.deleteTree(place)
  }

  test("settings that are missing or wrong are named") {
    spark.conf.set("spark.sql.catalog.nowhere", classOf[ModelCatalog].getName)
    assert(causes(intercept[Exception](spark.sql("SELECT nowhere.f(1)"))).exists {
      case e: SettingsException => e.getMessage.contains("spark.sql.catalog.nowhere.path is missing")
      case _                    => false
    })
    spark.conf.set("spark.sql.catalog.gone", classOf[ModelCatalog].getName)
    spark.conf.set("spark.sql.catalog.gone.path", "/no/such/folder")
    assert(causes(intercept[Exception](spark.sql("SELECT gone.f(1)"))).exists {
      case e: ModelNotFoundException => e.getMessage.contains("There is no folder '/no/such/folder'")
      case _                         => false
    })
    spark.conf.set("spark.sql.catalog.drawn", classOf[ModelCatalog].getName)
    spark.conf.set("spark.sql.catalog.drawn.path", folder.toString)
    spark.conf.set("spark.sql.catalog.drawn.seed", "1.5")
    assert(causes(intercept[Exception](spark.sql("SELECT drawn.twice(1)"))).exists {
      case e: SettingsException =>
        e.getMessage.contains("spark.sql.catalog.drawn.seed = '1.5': expected a whole number")
      case _ => false
    })
  }

  private def causes(e: Throwable): Seq[Throwable] = Iterator.iterate(e)(_.getCause).takeWhile(_ != null).toSeq
}
