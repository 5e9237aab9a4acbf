package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.functions.{col, sum}

import org.sparkdl.testing.{PlainSql, TestModels}

class OtherSessionSuite extends PlainSql {

  test("a stage's result and a column's in a global temporary view are read in another session") {
    staged(prepare()).createOrReplaceGlobalTempView("staged")
    prepare().select(col("id"), TestModels.doubled()(col("x")) as "y").createOrReplaceGlobalTempView("columns")
    Seq("staged", "columns").foreach { view =>
      val df = spark.newSession().sql(s"SELECT count(*), max(y) FROM global_temp.$view WHERE y > 6")
      assert(df.head() == org.apache.spark.sql.Row(20L, 16f), view)
    }
  }

  test("a DataFrame of one session is joined in another") {
    val other = spark.newSession()
    val there = other.range(5).join(staged(prepare()).select("id", "y"), "id")
    assert(there.agg(sum("y")).head().getDouble(0) == 20.0)
  }
}
