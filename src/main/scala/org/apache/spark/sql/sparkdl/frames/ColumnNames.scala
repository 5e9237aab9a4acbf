package org.apache.spark.sql.sparkdl.frames

import scala.util.Try

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute
import org.apache.spark.sql.catalyst.expressions.{Alias, Expression}
import org.apache.spark.sql.catalyst.plans.logical.{LocalRelation, LogicalPlan}
import org.apache.spark.sql.catalyst.types.DataTypeUtils
import org.apache.spark.sql.classic.ExpressionUtils
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.types.{StructField, StructType}

/** Columns by their names, with Spark's case sensitivity and its own errors where there is not exactly one. */
object ColumnNames {

  /** The column of this very name among those of `plan`, which is the DataFrame's or one made of it. */
  def find(df: DataFrame, plan: LogicalPlan, name: String): Expression = plan
    .resolveQuoted(quoted(name), FramePlans.sessionOf(df).sessionState.conf.resolver)
    .getOrElse(ExpressionUtils.expression(df.col(quoted(name))))

  /** The column that a stage's param names, or the field in one ("s.v"): a column that has the whole text as its name
    * comes first.
    */
  def resolve(df: DataFrame, name: String): Expression = resolvePath(df, pathOf(df.schema, name))

  /** What `resolvePath` takes for a name that a user gave. */
  def pathOf(schema: StructType, name: String): String =
    if (schema.fieldNames.exists(SQLConf.get.resolver(_, name))) plain(name) else name

  /** A name as a part of a path. */
  def plain(name: String): String = if (name.exists(c => c == '.' || c == '`')) quoted(name) else name

  /** The field that a path such as "s.v" leads to, with the path as its name; None where it leads nowhere. */
  def fieldAt(schema: StructType, path: String): Option[StructField] =
    Try(UnresolvedAttribute.parseAttributeName(path)).toOption
      .flatMap(parts =>
        Try(LocalRelation(DataTypeUtils.toAttributes(schema)).resolve(parts, SQLConf.get.resolver)).toOption
      )
      .flatten
      .map(found => StructField(path, found.dataType, found.nullable))

  private def quoted(name: String): String = s"`${name.replace("`", "``")}`"

  /** What `df.col` takes: the name of a column or of a field in it ("image.origin"). */
  def resolvePath(df: DataFrame, path: String): Expression =
    FramePlans.planOf(df.select(df.col(path))).expressions.head match {
      case a: Alias => a.child
      case e        => e
    }
}
