package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.expressions.{Alias, Expression}
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.classic.ExpressionUtils

/** Columns by their names, with Spark's case sensitivity and its own errors where there is not exactly one. */
private[sparkdl] object ColumnNames {

  /** The column of this very name among those of `plan`, which is the DataFrame's or one made of it. */
  def find(df: DataFrame, plan: LogicalPlan, name: String): Expression = {
    val quoted = s"`${name.replace("`", "``")}`"
    plan
      .resolveQuoted(quoted, FramePlans.sessionOf(df).sessionState.conf.resolver)
      .getOrElse(ExpressionUtils.expression(df.col(quoted)))
  }

  /** The column that a stage's param names: a dot is part of the name, unless it has backticks. */
  def resolve(df: DataFrame, name: String): Expression =
    resolvePath(df, if (name.contains(".") && !name.contains("`")) s"`$name`" else name)

  /** What `df.col` takes: the name of a column or of a field in it ("image.origin"). */
  def resolvePath(df: DataFrame, path: String): Expression =
    FramePlans.planOf(df.select(df.col(path))).expressions.head match {
      case a: Alias => a.child
      case e        => e
    }
}
