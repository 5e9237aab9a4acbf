package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.DataFrame

import org.sparkdl.testing.{PlainSql, TestModels}

class FewerRowsSuite extends PlainSql {
  import spark.implicits._

  private def assertRuns(df: DataFrame, atMost: Long, clue: String): Unit = {
    val run = rowsRun(df)
    assert(run <= atMost, s"$run rows, $clue:\n${df.queryExecution.optimizedPlan}")
  }

  test("a limit runs the rows that it gives, in columns, functions and stages") {
    val numbers = prepare(1000)
    assertRuns(modelled("SELECT @x@ FROM numbers LIMIT 10"), 10, "function")
    assertRuns(modelled("SELECT id, @x@ + 1 AS y, x * 2 FROM numbers LIMIT 10"), 10, "among others")
    assertRuns(staged(numbers).limit(5), 5, "stage")
    assertRuns(staged(staged(numbers).withColumnRenamed("y", "z")).limit(5), 10, "two stages")
    assertRuns(modelled("SELECT count(@x@) FROM (SELECT x FROM numbers LIMIT 10)"), 10, "below")
    assertRuns(modelled("SELECT sum(y) FROM (SELECT @x@ AS y FROM numbers LIMIT 10)"), 10, "within a query")
    assertRuns(modelled("SELECT @x@ FROM numbers LIMIT 10 OFFSET 3"), 13, "offset")
  }

  test("a sort with a limit runs the rows that it gives, and gives the same") {
    val numbers = prepare(1000)
    def assertTop(query: String, atMost: Long): Unit = {
      assertRuns(modelled(query), atMost, query)
      assertPlain(query)
    }
    assertTop("SELECT id, @x@ FROM numbers ORDER BY id LIMIT 5", 5)
    assertTop("SELECT @x@ FROM numbers ORDER BY id DESC LIMIT 5", 5)
    assertTop("SELECT id, @x@ y, id + 1 AS n FROM numbers ORDER BY n DESC LIMIT 5 OFFSET 2", 7)
    assertTop("SELECT sum(y) FROM (SELECT @x@ AS y FROM numbers ORDER BY id LIMIT 5)", 5)
    val newest = staged(numbers).orderBy("id").limit(3)
    assertRuns(newest, 3, "stage")
    assert(
      newest.select("id", "y").collect().map(r => (r.getLong(0), r.getFloat(1))).toSeq == Seq(
        (0, 0f),
        (1, 2f),
        (2, 4f)
      )
    )
    assert(newest.columns.toSeq == Seq("id", "g", "x", "y"))
    assertRuns(modelled("SELECT id, @x@ y FROM numbers ORDER BY y, id LIMIT 5"), 1000, "by the model")
  }

  test("a limit of more rows than one task should run leaves the model where it runs in many") {
    prepare(12000)
    val df = modelled("SELECT id, @x@ FROM numbers ORDER BY id LIMIT 11000")
    assert(rowsRun(df) == 12000)
    assert(operators(df).head.child.outputPartitioning.numPartitions == 4)
  }

  test("a sample runs its rows, which are those of the sampled stage") {
    val numbers = prepare(1000)
    val sampled = staged(numbers).sample(0.1, 7)
    assertRuns(sampled, 150, "a tenth")
    assertSameRows(sampled.select("id"), numbers.sample(0.1, 7).select("id"), "the same rows")
    assertRuns(staged(numbers).sample(withReplacement = true, 0.1, 7), 1000, "rows may come twice")
    assertRuns(modelled("SELECT @x@ FROM numbers TABLESAMPLE (10 PERCENT) REPEATABLE (3)"), 150, "TABLESAMPLE")
  }

  test("joins that only drop rows go below the model, those that may repeat rows do not") {
    val numbers = prepare(1000)
    val some = (0L until 10L).map(_ * 100).toDF("id")
    val plain = numbers.selectExpr("*", "x * 2 AS y")
    Seq("left_semi" -> 10L, "left_anti" -> 990L).foreach { case (kind, rows) =>
      assertRuns(staged(numbers).join(some, Seq("id"), kind), rows, kind)
      assertSameRows(staged(numbers).join(some, Seq("id"), kind), plain.join(some, Seq("id"), kind), kind)
    }
    val unique = some.groupBy("id").count()
    assertRuns(staged(numbers).join(unique, "id"), 10, "an inner join with keys that come once")
    assertSameRows(staged(numbers).join(unique, "id"), plain.join(unique, "id"), "unique keys on the right")
    assertRuns(unique.join(staged(numbers), "id"), 10, "on the left")
    assertSameRows(unique.join(staged(numbers), "id"), unique.join(plain, "id"), "unique keys on the left")
    val often = some.union(some).union(some)
    assertRuns(staged(numbers).join(often, "id"), 10, "keys that repeat filter the rows before the model")
    assertSameRows(staged(numbers).join(often, "id"), plain.join(often, "id"), "keys that repeat")
    assertRuns(
      staged(numbers).join(unique.withColumnRenamed("id", "x2"), org.apache.spark.sql.functions.expr("y = x2")),
      1000,
      "by the model"
    )
  }

  test("rows that are skipped, and blocks, keep the model where it is") {
    val numbers = prepare(1000)
    val skipping = TestModels.doubled().withHandleInvalid("skip").appendTo(numbers, Seq("x"), Seq("y"))
    assert(rowsRun(skipping.orderBy("id").limit(3)) == 1000)
    assert(rowsRun(skipping.sample(0.1, 7)) == 1000)
    assert(rowsRun(skipping.join(Seq(1L, 2L).toDF("id"), Seq("id"), "left_anti")) == 1000)
    assert(rowsRun(skipping.join(Seq(1L, 2L).toDF("id"), Seq("id"), "left_semi")) == 2)
  }

  test("what ran once per row still does") {
    val numbers = prepare(1000)
    assert(rowsRun(modelled("SELECT @x@ FROM numbers WHERE @x@ > 5")) == 1000)
    assert(rowsRun(modelled("SELECT @x@ FROM numbers WHERE id < 100")) == 100)
    assert(rowsRun(modelled("SELECT @x@, count(*) FROM numbers GROUP BY @x@")) == 1000)
    assert(rowsRun(modelled("SELECT max(@x@), min(@x@) FROM numbers")) == 1000)
    assert(rowsRun(modelled("SELECT id FROM numbers ORDER BY @x@ DESC LIMIT 2")) == 1000)
    assert(rowsRun(modelled("WITH c AS (SELECT id, @x@ y FROM numbers) SELECT id FROM c WHERE y > 3")) == 1000)
    assert(rowsRun(staged(numbers).where("y > 3").select("id")) == 1000)
    assert(rowsRun(staged(numbers).union(staged(numbers).limit(0))) == 1000)
    assert(rowsRun(staged(numbers).groupBy("g").agg(org.apache.spark.sql.functions.sum("y"))) == 1000)
    assert(rowsRun(staged(numbers).select("id")) == 0)
  }
}
