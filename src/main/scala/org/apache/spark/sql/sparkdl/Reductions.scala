package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions.{Alias, Attribute, AttributeReference, NamedExpression}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.classic.{DataFrame, Dataset => ClassicDataset}

import org.sparkdl.errors.SparkDLException
import org.sparkdl.plan.{ReduceTask, Reduction}
import org.sparkdl.tensor.Compatibility

/** Puts a [[ReduceModel]] on plans. */
private[sparkdl] object Reductions {

  /** `columns` of `df`, merged for each value of `keys`; both are over the columns of `plan`, the DataFrame's. */
  def on(
      df: DataFrame,
      plan: LogicalPlan,
      reduction: Reduction,
      keys: Seq[NamedExpression],
      columns: Seq[NamedExpression]
  ): DataFrame = {
    checkBatch(df, reduction)
    columns.zip(reduction.inputs).foreach { case (c, spec) =>
      Compatibility.check(reduction.name, spec, c.name, c.dataType)
    }
    // Spark's rules see an ordinary projection: they prune what is below it and evaluate what is in it.
    val needed = (keys ++ columns).groupBy(_.exprId).values.map(_.head).toSeq.sortBy(_.exprId.id)
    val inputs = columns.map(_.toAttribute)
    val merged =
      ReduceModel(reduction, keys.map(_.toAttribute), inputs, outputs(reduction, inputs), Project(needed, plan))
    // Aliases are what Spark renews when the DataFrame is joined with itself.
    val named = merged.keys ++ merged.outputs.map(o => Alias(o, o.name)())
    ClassicDataset.ofRows(df.sparkSession, Project(named, merged))
  }

  private def outputs(reduction: Reduction, inputs: Seq[Attribute]): Seq[Attribute] =
    reduction.columns.indices.map { i =>
      val reader = ReduceTask.resultOf(reduction.inputs(i), inputs(i).dataType)
      AttributeReference(reduction.columns(i), reader.dataType, nullable = false)()
    }

  private def checkBatch(df: DataFrame, reduction: Reduction): Unit = if (df.isStreaming)
    throw new SparkDLException(
      s"Cannot merge the rows of a streaming DataFrame with program '${reduction.name}': a stream has no last row. Merge " +
        "each batch in foreachBatch, or use Spark's own aggregates."
    )
}
