package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.{DataFrame, RelationalGroupedDataset}
import org.apache.spark.sql.catalyst.plans.logical.Project
import org.apache.spark.sql.sparkdl.columns.Operator
import org.apache.spark.sql.sparkdl.frames.{ColumnNames, FramePlans, GroupedRows}

import org.sparkdl.merging.Reduction

/** DataFrames whose rows a program has merged. */
object MergedFrames {

  /** All rows merged into one; no row when there are none.
    *
    * @param inputs
    *   names of the columns that are merged, in the order of the reduction's columns
    */
  def reduce(df: DataFrame, reduction: Reduction, inputs: Seq[String]): DataFrame = {
    Operator.install(FramePlans.sessionOf(df))
    val plan = FramePlans.planOf(df)
    frameOf(df, Reductions.on(plan, reduction, Nil, inputs.map(ColumnNames.find(df, plan, _))))
  }

  /** The rows of each group merged into one: the keys, then the results. */
  def aggregate(grouped: RelationalGroupedDataset, reduction: Reduction, inputs: Seq[String]): DataFrame = {
    val df = GroupedRows.frameOf(grouped)
    Operator.install(FramePlans.sessionOf(df))
    val rows = GroupedRows.of(grouped)
    val columns = inputs.map(ColumnNames.find(df, rows.child, _))
    frameOf(df, Reductions.on(rows.child, reduction, rows.keys, columns))
  }

  private def frameOf(df: DataFrame, node: ReduceModel): DataFrame =
    FramePlans.frameOf(df, Project(node.keys ++ NewColumns.renew(node.outputs), node))
}
