package org.sparkdl.testing

import org.apache.spark.sql.DataFrame

/** Queries with a model that doubles, against the same queries with plain arithmetic in its place. */
trait PlainSql extends SparkSuite with Operators {

  /** Registers `twice`, and the view `numbers` of `id`, `g` and `x` in four partitions. */
  protected def prepare(rows: Long = 40): DataFrame = {
    TestModels.doubled().register(spark, "twice")
    val numbers = spark.range(0, rows, 1, 4).selectExpr("id", "id % 4 AS g", "cast(id % 9 AS float) AS x")
    numbers.createOrReplaceTempView("numbers")
    numbers
  }

  /** A stage's result: the columns and y = 2 x. */
  protected def staged(df: DataFrame): DataFrame = TestModels.doubled().appendTo(df, Seq("x"), Seq("y"))

  /** The query, in which `@e@` is the model on e. */
  protected def modelled(query: String): DataFrame = spark.sql(replaced(query, e => s"twice(cast($e AS float))"))

  /** The query with arithmetic in the models' place. */
  protected def arithmetic(query: String): DataFrame =
    spark.sql(replaced(query, e => s"cast(2 * cast($e AS float) AS float)"))

  protected def assertPlain(query: String): Unit = assertSameRows(modelled(query), arithmetic(query), query)

  protected def assertSameRows(df: DataFrame, plain: DataFrame, clue: String): Unit =
    assert(bag(df) == bag(plain), clue)

  /** What a query gives, in no order. */
  protected def bag(df: DataFrame): Seq[String] = df.collect().map(_.toString).sorted.toSeq

  /** How many rows went through models when the query was collected. */
  protected def rowsRun(df: DataFrame): Long = { df.collect(); metric(df, "rows") }

  protected def replaced(query: String, made: String => String): String =
    query.split("@").zipWithIndex.map { case (part, i) => if (i % 2 == 1) made(part) else part }.mkString
}
