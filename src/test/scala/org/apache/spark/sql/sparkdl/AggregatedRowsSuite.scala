package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.functions._

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.testing.{PlainSql, TestModels}

class AggregatedRowsSuite extends PlainSql {

  test("a model on results of an aggregation gives what arithmetic gives") {
    prepare()
    Seq(
      "SELECT g, @avg(x) + count(*)@ FROM numbers GROUP BY g",
      "SELECT @g@, count(*) FROM numbers GROUP BY g",
      "SELECT @x@ FROM (SELECT DISTINCT g, x FROM numbers)",
      "SELECT @g@ v FROM numbers GROUP BY g ORDER BY @g@",
      "SELECT g, @g + 1@, @g@ FROM numbers GROUP BY g, g + 1",
      "SELECT g, @x@ FROM numbers GROUP BY g, x WITH CUBE HAVING x IS NOT NULL",
      "SELECT g, @x@, count(*) FROM numbers GROUP BY GROUPING SETS ((g, x), (x))",
      "SELECT g, sum(x) FILTER (WHERE @x@ > 4), @sum(x)@ FROM numbers GROUP BY ROLLUP(g)",
      "SELECT g, @sum(y) FILTER (WHERE y > 4)@ FROM (SELECT g, @x@ y FROM numbers) GROUP BY ROLLUP(g)",
      "SELECT g, sum(x) FROM numbers GROUP BY g HAVING @sum(x)@ > 70",
      "SELECT g, @count(DISTINCT x)@, @count(DISTINCT id)@, max(@x@) FROM numbers GROUP BY g",
      "SELECT @max_by(x, id)@, @first(x)@ FROM (SELECT * FROM numbers WHERE id = 3)",
      "SELECT @x@ FROM numbers EXCEPT ALL SELECT @x@ FROM numbers WHERE g < 2",
      "SELECT @x@ FROM (SELECT x FROM numbers EXCEPT SELECT x FROM numbers WHERE g = 1 AND x > 2)",
      "SELECT @x@ FROM (SELECT x FROM numbers INTERSECT ALL SELECT x FROM numbers WHERE g = 1)",
      "SELECT * FROM (SELECT g, x, @x@ y FROM numbers) PIVOT (max(y) FOR g IN (0, 1, 2))",
      "SELECT @x + max(g)@ FROM numbers GROUP BY x",
      "SELECT id FROM numbers n WHERE @x@ = (SELECT max(@m.x@) FROM numbers m WHERE m.g = n.g)"
    ).foreach(assertPlain)
  }

  test("columns after agg, and models of models on them") {
    val m = TestModels.doubled()
    val df = prepare().groupBy("g").agg(sum("x") as "s").select(col("g"), m(m(col("s").cast("float"))) as "y")
    assertSameRows(df, spark.sql("SELECT g, cast(4 * sum(x) AS float) FROM numbers GROUP BY g"), "twice")
  }

  test("a model on results runs once per group") {
    prepare()
    assert(rowsRun(modelled("SELECT g, @sum(x)@ FROM numbers GROUP BY g")) == 4)
    assert(rowsRun(modelled("SELECT g, @g@, @g@ + 1 FROM numbers GROUP BY g")) == 4)
    assert(rowsRun(modelled("SELECT @x@ FROM (SELECT DISTINCT x FROM numbers)")) == 9)
  }

  test("columns of both sides stand in the condition of an inner join, and others say what to do instead") {
    prepare()
    assertPlain("SELECT a.id, b.id FROM numbers a JOIN numbers b ON @a.x + b.x@ = 8 AND a.g = b.g")
    assertPlain("SELECT a.id, b.id FROM numbers a JOIN numbers b ON @a.x + b.g@ = 20")
    val e = intercept[SchemaMismatchException](
      modelled("SELECT a.id FROM numbers a LEFT JOIN numbers b ON @a.x + b.x@ = 8").collect()
    )
    assert(e.getMessage.contains("both sides of a join in the condition of a LEFT OUTER join: join first"))
  }

  test("a model on what is observed says what to do instead, a model within is right") {
    val observation = new org.apache.spark.sql.Observation("within")
    val m = TestModels.doubled()
    prepare().observe(observation, max(m(col("x"))) as "y").collect()
    assert(observation.get("y") == 16f)
    val e = intercept[SchemaMismatchException](
      prepare().observe("results", m(max("x")) as "y").collect()
    )
    assert(e.getMessage.contains("cannot be applied in CollectMetrics"))
    assert(e.getMessage.contains("apply the model in a query of its own, and use its result here"))
  }
}
