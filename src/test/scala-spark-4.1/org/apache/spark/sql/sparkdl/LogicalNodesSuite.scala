package org.apache.spark.sql.sparkdl

import java.nio.file.Paths

import scala.jdk.CollectionConverters._
import scala.util.Try

import com.fasterxml.jackson.databind.ObjectMapper

import org.apache.spark.sql.{Column, Row}
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.connector.catalog.InMemoryTableCatalog
import org.apache.spark.sql.functions.col

import org.sparkdl.testing.{NodesWithModels, PlainSql, SparkNodes, TablesInMemory, TestModels}

/** What becomes of a model in each logical node and command of Spark: `logical_nodes.json` says it, the programs of
  * [[NodePrograms]] and [[DatasetPrograms]] show it. A version of Spark with other nodes fails here.
  */
class LogicalNodesSuite extends PlainSql {
  private lazy val session = spark.asInstanceOf[SparkSession]
  private lazy val right, refused = new NodesWithModels

  test("every logical node of Spark that may hold a model is in the list, once") {
    assert(SparkNodes.all.size > 300, "the program finds Spark's nodes")
    val names = listed.values.flatten.toSeq
    assert(names.diff(names.distinct) == Nil, "each once")
    val found = SparkNodes.mayHoldModel
    assert((found -- names).toSeq.sorted == Nil, "not in the list: say what becomes of a model in them")
    assert((names.toSet -- found).toSeq.sorted == Nil, "in the list, but not in Spark")
  }

  NodePrograms.right.foreach { program =>
    test(s"right: $program") {
      prepareTables(program)
      val plain = rows(replaced(program, e => s"cast(2 * cast($e AS float) AS float)"), new NodesWithModels)
      prepareTables(program)
      assert(rows(replaced(program, e => s"twice(cast($e AS float))"), right) == plain)
    }
  }

  NodePrograms.refused.foreach { case (program, words) =>
    test(s"refused: $program") {
      prepareTables(program)
      val statements = replaced(program, e => s"twice(cast($e AS float))").split(";;")
      statements.init.foreach(spark.sql)
      Try(session.sessionState.sqlParser.parsePlan(statements.last)).foreach(refused.record)
      val e = intercept[Exception](refused.during(session)(spark.sql(statements.last).collect()))
      assert(e.getMessage.contains(words))
      assert(!e.getMessage.contains("INTERNAL_ERROR"))
    }
  }

  test("typed functions, groups, observations and others that SQL has no words for give what arithmetic gives") {
    val numbers = prepare()
    val model = TestModels.doubled()
    withRocksDB(new DatasetPrograms(spark).programs.foreach { case (name, program) =>
      val df = program(numbers, x => model(x))
      right.during(session)(assertSameRows(right.of(df), program(numbers, arithmetic), name))
    })
  }

  test("streams give what arithmetic gives") {
    val numbers = prepare()
    val model = TestModels.doubled()
    val made = new DatasetPrograms(spark)
    made.streams.foreach { case (name, program) =>
      val found = right.during(session)(made.streamed(numbers, program, x => model(x)))
      assert(found == made.streamed(numbers, program, arithmetic), name)
    }
  }

  test("a result that is kept is read again") {
    val kept = prepare().select(TestModels.doubled()(col("x")) as "y").persist()
    try assert(right.of(kept.where("y > 15")).count() == 4)
    finally kept.unpersist()
  }

  test("the programs have met a model in every node that the list says is right or refused") {
    def of(verdict: String) = listed(verdict).toSet
    assert((of("right") -- right.holding).toSeq.sorted == Nil, "no program")
    assert((of("right, above a model") -- right.above).toSeq.sorted == Nil, "no program")
    assert((of("refused") -- refused.holding).toSeq.sorted == Nil, "no program")
    assert((of("refused, above a model") -- refused.above).toSeq.sorted == Nil, "no program")
  }

  private def arithmetic(x: Column): Column = (x * 2).cast("float")

  private lazy val listed: Map[String, Seq[String]] = {
    val table = new ObjectMapper().readTree(Paths.get("src/test/resources/logical_nodes.json").toFile)
    table.properties.asScala.map(e => e.getKey -> e.getValue.asScala.map(_.asText).toSeq).toMap
  }

  /** The rows of the last of the statements. */
  private def rows(statements: String, nodes: NodesWithModels): Seq[String] = nodes.during(session) {
    val all = statements.split(";;").map { statement =>
      nodes.record(session.sessionState.sqlParser.parsePlan(statement))
      nodes.of(spark.sql(statement)).collect()
    }
    all.last.map((row: Row) => row.toString).sorted.toSeq
  }

  /** State of the newest kind is kept there only. */
  private def withRocksDB(body: => Unit): Unit = {
    val provider = "spark.sql.streaming.stateStore.providerClass"
    spark.streams // starts what coordinates state, which a batch takes for granted
    spark.conf.set(provider, "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider")
    try body
    finally spark.conf.unset(provider)
  }

  /** Each program finds the tables, if it has any, as they were. */
  private def prepareTables(program: String): Unit = {
    prepare()
    if (program.contains(".ns.")) makeTables()
    if (program.contains("STREAM ticks"))
      spark.readStream.format("rate").load().selectExpr("value AS id").createOrReplaceTempView("ticks")
  }

  private def makeTables(): Unit = {
    spark.conf.set("spark.sql.catalog.mem", classOf[TablesInMemory].getName)
    spark.conf.set("spark.sql.catalog.simple", classOf[InMemoryTableCatalog].getName)
    spark.sql("DROP TABLE IF EXISTS mem.ns.refused")
    Seq("mem.ns.groups", "mem.ns.deltas", "simple.ns.rows").foreach { table =>
      spark.sql(s"DROP TABLE IF EXISTS $table")
      spark.sql(
        s"CREATE TABLE $table (pk bigint NOT NULL, g bigint, x float) PARTITIONED BY (g) " +
          s"TBLPROPERTIES ('supports-deltas' = '${table.endsWith("deltas")}')"
      )
      spark.sql(s"INSERT INTO $table SELECT * FROM numbers")
    }
  }
}
