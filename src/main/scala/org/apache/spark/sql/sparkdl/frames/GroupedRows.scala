package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.sql.RelationalGroupedDataset
import org.apache.spark.sql.catalyst.analysis.UnresolvedAlias
import org.apache.spark.sql.catalyst.expressions.{BaseGroupingSets, NamedExpression}
import org.apache.spark.sql.catalyst.plans.logical.{Aggregate, LogicalPlan}
import org.apache.spark.sql.classic.{DataFrame, Dataset => ClassicDataset, RelationalGroupedDataset => ClassicGrouped}
import org.apache.spark.sql.sparkdl.versions.SparkApi
import org.apache.spark.sql.types.MapType

import org.sparkdl.errors.SparkDLException

/** What `groupBy` made, analysed as Spark analyses it for its own aggregates.
  *
  * @param keys
  *   over the columns of `child`, with the names that Spark gives them
  */
final case class GroupedRows(keys: Seq[NamedExpression], child: LogicalPlan)

object GroupedRows {

  /** What is grouped, with its columns. */
  def frameOf(grouped: RelationalGroupedDataset): DataFrame = classic(grouped).df

  /** Throws Spark's own exceptions for keys that cannot be grouped by, ours for what is no plain `groupBy`. */
  private[sparkdl] def of(grouped: RelationalGroupedDataset): GroupedRows = {
    val rows = classic(grouped)
    checkPlain(rows)
    val named = rows.groupingExprs.map {
      case n: NamedExpression => n
      case e                  => UnresolvedAlias(e)
    }
    val aggregate = Aggregate(rows.groupingExprs, named, rows.df.queryExecution.analyzed)
    ClassicDataset.ofRows(rows.df.sparkSession, aggregate).queryExecution.analyzed match {
      case a: Aggregate => a.aggregateExpressions.foreach(checkKey); GroupedRows(a.aggregateExpressions, a.child)
      case other        => throw new IllegalStateException(s"an aggregate was analysed as ${other.nodeName}")
    }
  }

  /** A rollup, a cube or a pivot shows only in the plan that an aggregate on it has. */
  private def checkPlain(rows: ClassicGrouped): Unit = rows.count().queryExecution.logical match {
    case a: Aggregate if !a.groupingExpressions.exists(_.isInstanceOf[BaseGroupingSets]) =>
    case _ =>
      throw new SparkDLException(
        s"aggregate needs the result of df.groupBy(...), got $rows: a rollup, cube or pivot is not one group per key. " +
          "Group by each set of columns on its own."
      )
  }

  private def checkKey(key: NamedExpression): Unit = {
    def refuse(why: String) =
      throw new SparkDLException(s"Cannot group by '${key.name}' (${key.dataType.simpleString}) in aggregate: $why.")
    if (key.dataType.existsRecursively(_.isInstanceOf[MapType]))
      refuse("maps have no order. Group by map_entries(...) of it, sorted by array_sort")
    if (!SparkApi.current.isEqualByBytes(key.dataType))
      refuse("strings that differ may be equal in this collation. Group by collation_key(...) of it")
  }

  private def classic(grouped: RelationalGroupedDataset): ClassicGrouped = grouped match {
    case c: ClassicGrouped => c
    case _ =>
      throw new SparkDLException(
        "aggregate runs inside the driver and needs grouped data of a classic Spark session, not of Spark Connect."
      )
  }
}
