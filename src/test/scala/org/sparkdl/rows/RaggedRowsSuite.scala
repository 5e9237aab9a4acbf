package org.sparkdl.rows

import scala.util.Random

import org.apache.spark.SparkException
import org.apache.spark.ml.linalg.Vectors
import org.apache.spark.sql.{DataFrame, Row}
import org.apache.spark.sql.functions._

import org.sparkdl.Model
import org.sparkdl.application.HandleInvalid
import org.sparkdl.runtime.DType
import org.sparkdl.testing.{Operators, Programs, TestModels}

/** Rows whose cells differ in shape and that do not depend on each other. */
class RaggedRowsSuite extends Programs with Operators {
  import spark.implicits._

  private val random = new Random(7)
  private val rows = (0 until 5000).map(i => (i, Seq.fill(random.nextInt(40))(random.nextInt(100).toDouble)))
  private lazy val df: DataFrame = rows.toDF("id", "x").coalesce(1)

  private def doubled(cell: Long*): Model = TestModels.doubled(DType.Float64, -1L +: cell)

  test("random lengths give what each row gives alone, in the order of the rows, in few runs") {
    val out = mapped(df, lengths, None)
    val made = out.select("id", "sum", "y").as[(Int, Double, Seq[Double])].collect().toSeq
    assert(made == rows.map { case (i, x) => (i, x.sum, x.map(_ * 2)) })
    out.collect()
    assert(metric(out, "rows") == 5000 && metric(out, "batches") < 400, "not a run per row")
    val alone = mapped(df, lengths.withBatchSize(1), None).select("id", "sum", "y").as[(Int, Double, Seq[Double])]
    assert(alone.collect().toSeq == made)
  }

  test("rows of one shape are run in full batches although the schema does not tell it") {
    val vectors = (0 until 3000).map(i => (i, Vectors.dense(i, 1, 2))).toDF("id", "x").coalesce(1)
    val out = mapped(vectors, doubled(-1), None)
    assert(out.select("y").as[Seq[Double]].collect().toSeq == (0 until 3000).map(i => Seq(2.0 * i, 2, 4)))
    out.collect()
    assert(metric(out, "batches") <= 5)
  }

  test("a batch size of the user's bounds each run") {
    val out = mapped(df, lengths.withBatchSize(3), None)
    assert(out.select("sum").as[Double].collect().toSeq == rows.map(_._2.sum))
    val one = mapped(rows.map(r => (r._1, Seq(1.0))).toDF("id", "x").coalesce(1), lengths.withBatchSize(500), None)
    one.collect()
    assert(metric(one, "batches") == 10)
  }

  test("two ragged inputs and a fixed one, strings, nested arrays") {
    val pairs = rows.map { case (i, x) => (i, x.map(_.toString), Seq(x, x)) }.toDF("id", "s", "n").coalesce(1)
    val strings = mapped(pairs, TestModels.identity(DType.Str, Seq(-1, -1)), None, Seq("s"))
    assert(strings.select("y").as[Seq[String]].collect().toSeq == rows.map(_._2.map(_.toString)))
    val nested = mapped(pairs, doubled(2, -1), None, Seq("n")).select("y").as[Seq[Seq[Double]]].collect().toSeq
    assert(nested == rows.map { case (_, x) => Seq(x.map(_ * 2), x.map(_ * 2)) })
    val both = mapped(df.withColumn("y", reverse(col("x"))), TestModels.sum(Seq(-1, -1)), None)
    assert(both.select("z").as[Seq[Double]].collect().toSeq == rows.map { case (_, x) =>
      x.zip(x.reverse).map { case (a, b) => a + b }
    })
  }

  test("nulls and rows that do not fit are errors, or skipped, or kept in their place with the reason") {
    val some =
      rows.take(300).map { case (i, x) => (i, if (i % 7 == 3) None else Some(x)) }.toDF("id", "x").coalesce(1)
    val e = intercept[SparkException](mapped(some, lengths, None).collect()).getMessage
    assert(e.contains("column 'x' to input 'x' of program 'lengths': the value is null, in row 3"))
    val good = rows.take(300).filter(_._1 % 7 != 3)
    val skipped = mapped(some, lengths, None, invalid = HandleInvalid.Skip)
    assert(skipped.select("id", "sum").as[(Int, Double)].collect().toSeq == good.map(r => (r._1, r._2.sum)))
    val kept =
      lengths.withHandleInvalid("keep").appendTo(some, Seq("x"), Seq("s", "y"), Some("why")).select("id", "s", "why")
    assert(kept.collect().toSeq == rows.take(300).map { case (i, x) =>
      if (i % 7 == 3) Row(i, null, "the value for input 'x' is null") else Row(i, x.sum, null)
    })
    val columns = some.select(col("id"), lengths.select("sum")(col("x")) as "s")
    assert(columns.collect().toSeq == rows.take(300).map { case (i, x) => Row(i, if (i % 7 == 3) null else x.sum) })
  }

  test("rows that TensorFlow refuses are found among those of their shape") {
    val texts = (0 until 200).map(i => (i, Seq.fill(i % 5)(if (i % 11 == 3) s"no $i" else s"$i")))
    val parse = TestModels.load(
      "parse",
      Nil,
      _.placeholder("text", DType.Str, Seq(-1L, -1L))
        .node("StringToNumber", "number", Seq("text"), Map("out_type" -> DType.Float32))
    )
    val in = texts.toDF("id", "text").coalesce(1)
    def bad(i: Int) = i % 11 == 3 && i % 5 > 0
    val skipped = mapped(in, parse, None, invalid = HandleInvalid.Skip).select("id", "number").as[(Int, Seq[Float])]
    assert(
      skipped.collect().toSeq == texts.filterNot(t => bad(t._1)).map { case (i, t) => (i, t.map(_ => i.toFloat)) }
    )
    val kept = parse.withHandleInvalid("keep").appendTo(in, Seq("text"), Seq("n"), Some("why")).collect()
    kept.foreach(r => assert(r.isNullAt(2) == bad(r.getInt(0)) && r.isNullAt(3) != bad(r.getInt(0))))
    assert(kept.map(_.getInt(0)).toSeq == (0 until 200))
  }

  test("a limit goes below, and nothing stands between it and the operator") {
    val out = mapped(df, lengths, None).limit(3)
    assert(out.collect().length == 3 && metric(out, "rows") == 3)
  }
}
