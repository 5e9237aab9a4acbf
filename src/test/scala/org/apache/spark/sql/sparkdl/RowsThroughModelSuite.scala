package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions._

import org.sparkdl.testing.{PlainSql, TestModels}

/** How many rows of 1,000 go through the model, by the form of the query; where the rows of the result are certain,
  * they are those of plain arithmetic.
  */
class RowsThroughModelSuite extends PlainSql {

  /** Queries with the model on a column or an aggregate. */
  private val queries: Seq[(Long, String)] = Seq(
    1000L -> "SELECT id, @x@ FROM numbers",
    1000L -> "SELECT @x@, @x@ + 1, abs(@x@) FROM numbers",
    1000L -> "SELECT CASE WHEN g = 1 THEN @x@ ELSE 0 END FROM numbers",
    1000L -> "SELECT id, @x@ FROM numbers WHERE @x@ > 5",
    250L -> "SELECT @x@ FROM numbers WHERE g = 1 AND @x@ > 5",
    0L -> "SELECT count(*) FROM (SELECT @x@ FROM numbers)",
    0L -> "SELECT id FROM (SELECT id, @x@ FROM numbers)",
    0L -> "SELECT @x@ FROM numbers WHERE 1 = 0",
    1000L -> "SELECT g, max(@x@), min(@x@) FROM numbers GROUP BY g",
    1000L -> "SELECT @x@, count(*) FROM numbers GROUP BY @x@ HAVING @x@ > 5",
    250L -> "SELECT g, max(@x@) FROM numbers GROUP BY g HAVING g = 1",
    1000L -> "SELECT DISTINCT @x@ FROM numbers",
    1000L -> "SELECT rank() OVER (PARTITION BY g ORDER BY @x@) FROM numbers",
    1000L -> "SELECT id FROM numbers WHERE @x@ > (SELECT avg(x) FROM numbers)",
    1000L -> "SELECT id FROM numbers WHERE x > (SELECT avg(@x@) - 5 FROM numbers)",
    10L -> "SELECT n.id, @x@ FROM numbers n JOIN some s ON n.id = s.id",
    10L -> "SELECT n.id, @x@ FROM numbers n LEFT SEMI JOIN some s ON n.id = s.id",
    10L -> "SELECT id, @x@ FROM numbers WHERE id IN (SELECT id FROM some)",
    990L -> "SELECT id, @x@ FROM numbers WHERE id NOT IN (SELECT id FROM some)",
    10L -> "SELECT id, @x@ FROM numbers n WHERE EXISTS (SELECT 1 FROM some s WHERE n.id = s.id)",
    11L -> "SELECT id, @x@ FROM numbers n WHERE EXISTS (SELECT 1 FROM some s WHERE n.id = s.id) OR id = 5",
    1000L -> "WITH c AS (SELECT id, @x@ y FROM numbers) SELECT id FROM c WHERE y > 3",
    1000L -> "WITH c AS (SELECT id, @x@ y FROM numbers) SELECT y FROM c UNION ALL SELECT y + 1 FROM c",
    1000L -> "SELECT * FROM (SELECT g, x, @x@ y FROM numbers) PIVOT (max(y) FOR g IN (0, 1, 2))",
    250L -> "SELECT @x@ FROM numbers WHERE g = 1 UNION ALL SELECT x FROM numbers",
    // A model on groups.
    4L -> "SELECT g, @sum(x)@ FROM numbers GROUP BY g",
    9L -> "SELECT @x@ FROM (SELECT DISTINCT x FROM numbers)",
    4L -> "SELECT g, count(*) FROM numbers GROUP BY g HAVING @g@ > 2",
    4L -> "SELECT g, @g@, sum(x) FROM numbers GROUP BY g HAVING @g@ > 2 AND sum(x) > 3",
    4L -> "SELECT * FROM (SELECT g, count(*) c FROM numbers GROUP BY g) WHERE @g@ > 2",
    4L -> "SELECT g FROM (SELECT DISTINCT g FROM numbers) WHERE @g@ > 2",
    4L -> "SELECT g + 1, count(*) FROM numbers GROUP BY g + 1 HAVING @g + 1@ > 2",
    4L -> "SELECT g, sum(x) FILTER (WHERE @g@ > 2), count(*) FILTER (WHERE @g@ > 2) FROM numbers GROUP BY g",
    4L -> """SELECT g, sort_array(collect_set(id) FILTER (WHERE @g@ > 2)), max_by(x, id) FILTER (WHERE @g@ > 2),
            |  bit_xor(id) FILTER (WHERE @g@ > 2) FROM numbers GROUP BY g""".stripMargin,
    2L -> "SELECT g, count(*) FROM numbers GROUP BY g HAVING @g@ > 2 AND g > 1",
    // Models on single rows may guard what is computed of them: they stay below.
    1000L -> "SELECT g, sum(100 / g) FROM numbers WHERE @g@ > 1 GROUP BY g",
    1000L -> "SELECT g, max(@x@) FROM numbers GROUP BY g HAVING max(@x@) > 4",
    // Spark says of both sides of a join what the query says of a key of one: the smaller one decides.
    1000L -> "SELECT n.id FROM numbers n JOIN numbers m ON n.id = m.id WHERE @n.id@ > 5",
    10L -> "SELECT n.id FROM numbers n JOIN some s ON n.id = s.id WHERE @n.id@ > 5",
    10L -> "SELECT n.id FROM numbers n LEFT SEMI JOIN some s ON n.id = s.id WHERE @n.id@ > 5",
    1000L -> "SELECT n.id, s.id FROM numbers n LEFT JOIN some s ON n.id = s.id WHERE @n.id@ > 5",
    1000L -> "SELECT n.id FROM numbers n LEFT ANTI JOIN some s ON n.id = s.id WHERE @n.id@ > 5",
    10L -> """SELECT n.id FROM numbers n JOIN some s ON n.id = s.id JOIN some t ON s.id = t.id
             |  WHERE @n.id@ > 5 AND @t.id@ < 900""".stripMargin,
    // There the larger one's filter guards what is computed of its rows.
    10L -> """SELECT s.id, q FROM some s
             |  JOIN (SELECT id, 100 DIV id AS q FROM numbers WHERE @id@ > 5) n ON s.id = n.id""".stripMargin,
    // Unions over the same rows.
    1000L -> "SELECT @x@ FROM numbers UNION ALL SELECT @x@ FROM numbers",
    1000L -> "SELECT @x@ FROM numbers UNION SELECT @x@ + 1 FROM numbers",
    1000L -> "SELECT @x@ FROM numbers UNION ALL SELECT x FROM numbers UNION ALL SELECT -@x@ FROM numbers",
    // Limits of sorted rows, and of windows.
    5L -> "SELECT id, @x@ FROM numbers ORDER BY id LIMIT 5",
    5L -> "SELECT id, @x@ FROM numbers ORDER BY id DESC LIMIT 5 OFFSET 2",
    12L -> """SELECT id, y FROM (
             |  SELECT id, @x@ y, row_number() OVER (PARTITION BY g ORDER BY id DESC) r FROM numbers) WHERE r <= 3""".stripMargin
  )

  /** Limits and samples of rows in no order: any rows are right. */
  private val some: Seq[(Long, String)] = Seq(
    10L -> "SELECT @x@ FROM numbers LIMIT 10",
    13L -> "SELECT @x@ FROM numbers LIMIT 10 OFFSET 3",
    10L -> "SELECT @x@ FROM numbers TABLESAMPLE (10 ROWS)",
    10L -> "SELECT sum(y) FROM (SELECT @x@ AS y FROM numbers LIMIT 10)"
  )

  /** Programs on a stage's result of 1,000 rows. */
  private val programs: Seq[(Long, String, DataFrame => DataFrame)] = Seq(
    (1000L, "select", _.select("y")),
    (0L, "without its outputs", _.select("id")),
    (250L, "where on another column", _.where("g = 1")),
    (250L, "where on both", _.where("g = 1 AND y > 3")),
    (1000L, "groupBy", _.groupBy("g").agg(sum("y"))),
    (1000L, "distinct", _.select("y").distinct()),
    (1000L, "repartition", _.repartition(3)),
    (1000L, "coalesce", _.coalesce(1)),
    (1000L, "explode", _.withColumn("e", expr("explode(sequence(1, 3))"))),
    (1000L, "unpivot", _.selectExpr("id", "x", "y").unpivot(Array(col("id")), "name", "value")),
    (1000L, "na.drop", _.na.drop()),
    (3L, "the first by a column", _.orderBy("id").limit(3)),
    (
      12L,
      "the first of each kind",
      _.withColumn("r", expr("row_number() OVER (PARTITION BY g ORDER BY id)")).where("r < 4")
    ),
    (1000L, "union", d => d.union(d)),
    (1000L, "union with a part", d => d.union(d.where("g = 1"))),
    (500L, "union of parts", d => d.where("g = 1").union(d.where("g IN (1, 2) AND y > 3"))),
    (1000L, "union of three, distinct", d => d.union(d).union(d.selectExpr("id + 1", "g", "x", "y / 2")).distinct()),
    (1000L, "exceptAll", d => d.exceptAll(d.where("g = 1"))),
    (1000L, "intersectAll", d => d.intersectAll(d.where("g = 1"))),
    (
      1000L,
      "the same exchange twice",
      d => { val sums = d.groupBy("g").agg(sum("y") as "s"); sums.join(sums.withColumnRenamed("s", "t"), "g") }
    ),
    (
      500L,
      "union of parts whose filter guards them",
      d => d.where("g > 1").selectExpr("100 DIV g", "y").union(d.where("g > 2").selectExpr("g", "y"))
    ),
    (10L, "semi join", d => d.join(ten, Seq("id"), "left_semi")),
    (990L, "anti join", d => d.join(ten, Seq("id"), "left_anti")),
    (10L, "inner join", _.join(ten, "id")),
    (10L, "inner join whose keys come twice", _.join(ten.union(ten), "id")),
    (10L, "inner join on the left", ten.union(ten).join(_, "id")),
    (10L, "inner join by a broadcast", _.join(broadcast(ten), "id")),
    (10L, "inner join of some by their outputs", _.where("y > 3").join(ten, "id")),
    (10L, "two joins", _.join(ten, "id").join(ten.withColumn("z", col("id")), "id")),
    (10L, "right outer join", _.join(ten, Seq("id"), "right_outer")),
    (10L, "left outer join of the others", ten.join(_, Seq("id"), "left_outer")),
    (1000L, "left outer join", _.join(ten, Seq("id"), "left_outer")),
    (1000L, "full outer join", _.join(ten, Seq("id"), "full_outer")),
    (1000L, "join on an output", d => d.join(ten, d("y") === ten("id")))
  )

  private lazy val ten: DataFrame = spark.range(0, 1000, 100).toDF("id")

  private def numbers(): DataFrame = { ten.createOrReplaceTempView("some"); prepare(1000) }

  private def plain(df: DataFrame): DataFrame = df.selectExpr("*", "x * 2 AS y")

  test("a query runs the rows that its result needs, and gives what arithmetic gives") {
    numbers()
    assertAll(queries) { case (rows, query) => assertRows(rows, modelled(query), query, Some(arithmetic(query))) }
  }

  test("any rows of a limit or a sample are as many as it gives") {
    numbers()
    some.foreach { case (rows, query) => assertRows(rows, modelled(query), query) }
  }

  test("a stage runs the rows that a program needs, which gives what arithmetic gives") {
    val (made, computed) = (staged(numbers()), plain(numbers()))
    assertAll(programs) { case (rows, name, program) =>
      assertRows(rows, program(made), name, Some(program(computed)))
    }
  }

  test("an action runs the rows that it gives") {
    val model = TestModels.doubled()
    def newlyMade = model.appendTo(numbers(), Seq("x"), Seq("y"))
    val made = newlyMade
    Seq[(Long, String, DataFrame => Any)](
      (10L, "take", _.take(10)),
      (1L, "head", _.head()),
      (3L, "show", _.show(2)),
      (0L, "count", _.count()),
      (1000L, "write", _.write.format("noop").mode("overwrite").save()),
      (1000L, "collect", _.collect())
    ).foreach { case (rows, name, action) =>
      val run = metricOf(spark, "rows")(action(made))
      assert(run == rows, s"rows of $name")
    }
    val cached = made.cache()
    try {
      cached.count()
      assertRows(0, cached.where("y > 3"), "what is cached is not run again")
      assertRows(0, newlyMade.where("y > 3"), "nor is the same made again")
    } finally { cached.unpersist(); () }
  }

  test("a result that is joined with itself runs once where Spark shuffles it once") {
    def joined(df: DataFrame) = df.as("a").join(df.as("b"), expr("a.id = b.id")).selectExpr("a.y", "b.y AS z")
    val made = staged(numbers()).select("id", "y")
    assertRows(2000, joined(made), "a broadcast")
    having(Seq("spark.sql.autoBroadcastJoinThreshold" -> "-1")) {
      assertRows(1000, joined(made), "an exchange that is reused")
      assertSameRows(joined(made), joined(plain(numbers()).select("id", "y")), "a join with itself")
    }
  }

  test("a FILTER on arrays of keys runs once per group") {
    numbers()
    TestModels.doubled(shape = Seq(-1L, 2L)).register(spark, "pairs")
    Seq("array(float(g), float(g))", "array(float(g), 1f)", "array(float(coalesce(g, 0)), float(g + 1))").foreach {
      input =>
        val query = s"SELECT g, count(*) FILTER (WHERE pairs($input)[0] > 2) n FROM numbers GROUP BY g"
        assertRows(4, spark.sql(query), query)
        assert(spark.sql(query).collect().map(_.getLong(1)).sorted.toSeq == Seq(0L, 0L, 250L, 250L))
    }
  }

  test("a join that shuffles leaves rows out where statistics or a runtime filter say so") {
    numbers().write.mode("overwrite").saveAsTable("all_numbers")
    ten.selectExpr("id", "id AS k").write.mode("overwrite").saveAsTable("ten_numbers")
    def joined(others: String) =
      staged(spark.table("all_numbers")).join(spark.table("ten_numbers").where(others), "id")
    def rows(others: String, settings: (String, String)*) =
      having(settings :+ ("spark.sql.autoBroadcastJoinThreshold" -> "-1"))(rowsRun(joined(others)))
    try {
      val bloom = "spark.sql.optimizer.runtime.bloomFilter.applicationSideScanSizeThreshold" -> "0"
      assert(rows("true") == 1000, "nothing is known")
      assert(rows("k > 500", bloom) < 100, "a runtime filter")
      Seq("all_numbers", "ten_numbers").foreach(t =>
        spark.sql(s"ANALYZE TABLE $t COMPUTE STATISTICS FOR ALL COLUMNS")
      )
      assert(rows("true", "spark.sql.cbo.enabled" -> "true") == 10, "statistics")
      assert(rows("true") == 1000, "statistics that Spark does not use")
    } finally Seq("all_numbers", "ten_numbers").foreach(t => spark.sql(s"DROP TABLE $t"))
  }

  private def having[T](settings: Seq[(String, String)])(body: => T): T = {
    settings.foreach { case (name, value) => spark.conf.set(name, value) }
    try body
    finally settings.foreach { case (name, _) => spark.conf.unset(name) }
  }

  /** All that fail are told, not the first one only. */
  private def assertAll[T](cases: Seq[T])(check: T => Unit): Unit = {
    val failed = cases.flatMap(c => scala.util.Try(check(c)).failed.toOption)
    assert(failed.isEmpty, failed.map(_.getMessage).mkString("\n"))
  }

  /** Runs it once: so many rows go through the model, and the result is that of the other one, if there is one. */
  private def assertRows(rows: Long, df: DataFrame, clue: String, same: Option[DataFrame] = None): Unit = {
    val found = bag(df)
    val run = metric(df, "rows")
    assert(run == rows, s"$run rows and not $rows: $clue\n${df.queryExecution.optimizedPlan}")
    same.foreach(plain => assert(found == bag(plain), clue))
  }
}
