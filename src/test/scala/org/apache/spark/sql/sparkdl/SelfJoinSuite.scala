package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions._

import org.sparkdl.testing.{PlainSql, TestModels}

class SelfJoinSuite extends PlainSql {

  private val programs: Seq[(String, DataFrame => DataFrame)] = Seq(
    "join using" -> (d => d.join(d.where("g = 1"), "id").select("id")),
    "join of aliases" -> (d => d.as("a").join(d.as("b"), expr("a.id = b.id + 1")).selectExpr("a.y", "b.y AS z")),
    "join by columns" -> { d =>
      val part = d.where("g = 1").selectExpr("id AS other", "y AS z")
      d.where(d("y") > 2).join(part, d("id") === part("other") + 1).select(d("y"), part("z"))
    },
    "three times" -> (d => d.select("id", "y").join(d.select("id"), "id").join(d.where("y > 4").select("id"), "id")),
    "parts joined" -> { d =>
      val parts = d.randomSplit(Array(0.5, 0.5), 3)
      parts(0).union(parts(1)).join(d.select("id", "y"), "id").select("id")
    },
    "exceptAll" -> (d => d.where("g < 3").exceptAll(d.where("g < 2"))),
    "intersect" -> (d => d.intersect(d.where("g < 2"))),
    "union" -> (d => d.union(d).groupBy("g").agg(sum("y"))),
    "a view twice" -> { d =>
      val view = s"twofold_${System.identityHashCode(d)}" // replacing one uncaches what it was of, in Spark 3.5
      d.createOrReplaceTempView(view)
      spark.sql(s"SELECT a.id, b.y FROM $view a JOIN $view b ON a.id = b.id + 1 WHERE a.y IN (SELECT y FROM $view)")
    },
    "semi join" -> (d => d.join(d.where("y > 4"), Seq("id"), "left_semi"))
  )

  private def assertAll(made: DataFrame => DataFrame, plain: DataFrame => DataFrame): Unit = {
    val numbers = prepare()
    programs.foreach { case (name, program) => assertSameRows(program(made(numbers)), program(plain(numbers)), name) }
  }

  private def plain(df: DataFrame): DataFrame = df.withColumn("y", col("x") * 2)

  test("a stage's result is joined with itself and its parts as any DataFrame")(assertAll(staged, plain))

  test("the same with rows that are skipped, and with a column of reasons") {
    def nulled(df: DataFrame) = df.withColumn("x", expr("nullif(x, 3)"))
    val m = TestModels.doubled()
    assertAll(
      df => m.withHandleInvalid("skip").appendTo(nulled(df), Seq("x"), Seq("y")),
      df => plain(nulled(df)).where("x IS NOT NULL")
    )
    assertAll(
      df => m.withHandleInvalid("keep").appendTo(nulled(df), Seq("x"), Seq("y"), Some("why")).drop("why"),
      df => plain(nulled(df))
    )
    val kept = m.withHandleInvalid("keep").appendTo(nulled(prepare()), Seq("x"), Seq("y"), Some("why"))
    val twice = kept.as("a").join(kept.as("b"), expr("a.id = b.id AND a.why <=> b.why")).where("a.why IS NOT NULL")
    assert(twice.count() == 5)
  }

  test("the same cached, where the model does not run again") {
    val cached = staged(prepare()).cache()
    try {
      cached.count()
      programs.foreach { case (name, program) =>
        assertSameRows(program(cached), program(plain(prepare())), name)
        assert(operators(program(cached)).isEmpty, s"$name is read from the cache")
      }
    } finally { cached.unpersist(); () }
  }

  test("two stages, one on the result of the other") {
    val m = TestModels.doubled()
    assertAll(df => m.appendTo(staged(df), Seq("y"), Seq("z")), df => plain(df).withColumn("z", col("y") * 2))
  }
}
