package org.sparkdl.testing

import org.apache.spark.sql.{DataFrame, SparkSession}

import org.sparkdl.tensorframes.Program

/** What the blocks of Scala in README.md and docs/ take for granted. They are compiled within classes that have these
  * values (project/DocBlocks.scala), and never run.
  */
abstract class PageValues {
  val spark: SparkSession
  val df, others, people, trips: DataFrame
  val bytes: Array[Byte]
  val pairs: Program
  val weights: Seq[Seq[Double]]
}
