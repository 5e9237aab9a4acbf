package org.apache.spark.sql.sparkdl

import java.nio.file.Files

import org.apache.spark.sql.DataFrame

import org.sparkdl.testing.{PlainSql, TestModels}

class FileNamesSuite extends PlainSql {

  /** Six files of three rows in one partition; `k` says which file. */
  private lazy val files: DataFrame = {
    TestModels.doubled().register(spark, "twice")
    val folder = Files.createTempDirectory("sparkdl-test-").resolve("files").toString
    (0 until 6).foreach { i =>
      spark
        .range(i * 3L, i * 3L + 3)
        .selectExpr("id", "cast(id AS float) AS x")
        .coalesce(1)
        .write
        .parquet(s"$folder/k=$i")
    }
    spark.read.parquet(folder).coalesce(1)
  }

  private def assertOwnFiles(df: DataFrame, rows: Int): Unit = {
    val found = df.selectExpr("k", "name").collect()
    assert(
      found.length == rows && found.forall(r => r.getString(1).contains(s"/k=${r.getInt(0)}/")),
      found.mkString("\n")
    )
  }

  test("input_file_name names the file of each row, beside and above a model that has read further") {
    assertOwnFiles(files.selectExpr("k", "twice(x) AS y", "input_file_name() AS name").where("y >= 0"), 18)
    assertOwnFiles(files.where("twice(x) > 10").selectExpr("k", "input_file_name() AS name"), 12)
    val stage = TestModels.doubled().appendTo(files, Seq("x"), Seq("y"))
    assertOwnFiles(stage.where("y > 10").selectExpr("k", "y", "input_file_name() AS name").where("y < 100"), 12)
    assertOwnFiles(
      stage.selectExpr("k", "explode(array(y, y)) AS e", "input_file_name() AS name").where("e >= 0"),
      36
    )
  }
}
