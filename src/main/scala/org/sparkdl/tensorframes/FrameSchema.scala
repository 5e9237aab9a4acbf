package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{StructField, StructType}

import org.sparkdl.errors.SchemaMismatchException

/** The columns of a DataFrame, with Spark's rule for upper and lower case.
  *
  * @param who
  *   the beginning of messages
  */
final private[tensorframes] case class FrameSchema(schema: StructType, who: String) {

  /** Positions of the columns of this name. */
  def positions(name: String): Seq[Int] =
    schema.fields.toSeq.zipWithIndex.collect { case (f, i) if SQLConf.get.resolver(f.name, name) => i }

  def has(name: String): Boolean = positions(name).nonEmpty

  /** The position of the one column of this name. */
  def position(name: String): Int = positions(name) match {
    case Seq(one) => one
    case Seq()    => fail(s"there is no column '$name'. The DataFrame has: $names.")
    case several =>
      fail(s"${several.size} columns are named '$name', expected one: rename or drop the others. It has: $names.")
  }

  def column(name: String): StructField = schema(position(name))

  def names: String = schema.fieldNames.mkString(", ")

  private def fail(why: String): Nothing = throw new SchemaMismatchException(s"$who: $why")
}

private[tensorframes] object FrameSchema {
  def apply(df: DataFrame, who: String): FrameSchema = FrameSchema(df.schema, who)
}
