package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.{Column, DataFrame, Encoders, SparkSession}
import org.apache.spark.sql.functions._
import org.apache.spark.sql.streaming._

import org.sparkdl.testing.SparkStreams.MemoryStream

/** What SQL has no words for: programs on a DataFrame of id, g and x, with a function that is a model or arithmetic.
  */
class DatasetPrograms(spark: SparkSession) {
  import DatasetPrograms.summed
  import spark.implicits._

  type Program = (DataFrame, Column => Column) => DataFrame

  val programs: Seq[(String, Program)] = Seq(
    "observe" -> ((d, f) => d.observe(s"observed ${System.nanoTime}", max(f(col("x"))) as "m")),
    "typed functions" -> ((d, f) => numbers(d, f).map(_ + 1).filter(_ > 3).mapPartitions(_.map(_ * 2)).toDF()),
    "groups" -> ((d, f) => pairs(d, f).groupByKey(_._1).mapGroups((k, r) => (k, r.map(_._2).sum)).toDF()),
    "groups of objects" -> ((d, f) =>
      pairs(d, f).map(p => (p._1, p._2 + 1)).groupByKey(_._1).mapGroups((k, r) => (k, r.map(_._2).sum)).toDF()
    ),
    "two kinds of groups" -> ((d, f) =>
      pairs(d, f)
        .groupByKey(_._1)
        .cogroup(pairs(d, f).groupByKey(_._1))((k, a, b) => Iterator((k, a.map(_._2).sum, b.size)))
        .toDF()
    ),
    "groups with state" -> ((d, f) =>
      pairs(d, f).groupByKey(_._1).mapGroupsWithState[Float, (Long, Float)](summed _).toDF()
    ),
    "duplicates" -> ((d, f) => d.select(f(col("x")) as "y").dropDuplicates("y")),
    "columns dropped" -> ((d, f) => d.withColumn("y", f(col("x"))).drop(col("x"))),
    "partitions" -> ((d, f) => d.select(f(col("x")) as "y").repartition(3).sortWithinPartitions("y").coalesce(1)),
    "parameters" -> ((d, f) => {
      d.withColumn("y", f(col("x"))).createOrReplaceTempView("scored")
      spark.sql("SELECT y FROM scored WHERE id > :id", Map("id" -> 3))
    }),
    "positions" -> ((d, f) => {
      d.withColumn("y", f(col("x"))).createOrReplaceTempView("scored")
      spark.sql("SELECT y FROM scored WHERE id > ?", Array(3))
    }),
    "a table" -> ((d, f) => {
      val name = s"saved_${System.nanoTime}"
      d.select(f(col("x")) as "y").write.saveAsTable(name)
      spark.table(name)
    }),
    "sums that are kept" -> ((d, f) =>
      pairs(d, f).groupByKey(_._1).transformWithState(new Sums, TimeMode.None(), OutputMode.Append()).toDF()
    ),
    "transposed" -> ((d, f) => d.where("id < 3").select(col("id"), f(col("x")) as "y").transpose(col("id")))
  )

  /** What a stream gives, whose rows are those of the DataFrame. */
  val streams: Seq[(String, Program)] = Seq(
    "duplicates of a stream" -> ((d, f) => timed(d.withColumn("y", f(col("x")))).dropDuplicatesWithinWatermark("y")),
    "state of a stream" -> ((d, f) =>
      pairs(d, f)
        .groupByKey(_._1)
        .flatMapGroupsWithState[Float, (Long, Float)](OutputMode.Append, GroupStateTimeout.NoTimeout)((k, r, s) =>
          Iterator(summed(k, r, s))
        )
        .toDF()
    )
  )

  def streamed(rows: DataFrame, program: Program, f: Column => Column): Seq[String] = {
    val input = MemoryStream[(Long, Long, Float)](1, spark)
    input.addData(rows.as[(Long, Long, Float)].collect().toSeq)
    val name = s"streamed_${System.nanoTime}"
    val query = program(input.toDF().toDF("id", "g", "x"), f).writeStream.format("memory").queryName(name).start()
    try query.processAllAvailable()
    finally query.stop()
    spark.table(name).collect().map(_.toString).sorted.toSeq
  }

  private def timed(d: DataFrame): DataFrame =
    d.withColumn("t", timestamp_seconds(col("id"))).withWatermark("t", "1 minute")
  private def numbers(d: DataFrame, f: Column => Column) = d.select(f(col("x")) as "y").as[Float]
  private def pairs(d: DataFrame, f: Column => Column) = d.select(col("g"), f(col("x")) as "y").as[(Long, Float)]
}

/** The newest way to keep state; in a batch it starts from nothing. */
private class Sums extends StatefulProcessor[Long, (Long, Float), (Long, Float)] {
  @transient private var total: ValueState[Float] = _

  override def init(mode: OutputMode, time: TimeMode): Unit =
    total = getHandle.getValueState[Float]("total", Encoders.scalaFloat, TTLConfig.NONE)

  override def handleInputRows(
      key: Long,
      rows: Iterator[(Long, Float)],
      timers: TimerValues
  ): Iterator[(Long, Float)] = {
    total.update((if (total.exists()) total.get() else 0f) + rows.map(_._2).sum)
    Iterator((key, total.get()))
  }
}

private object DatasetPrograms {
  def summed(key: Long, rows: Iterator[(Long, Float)], state: GroupState[Float]): (Long, Float) = {
    state.update(state.getOption.getOrElse(0f) + rows.map(_._2).sum)
    (key, state.get)
  }
}
