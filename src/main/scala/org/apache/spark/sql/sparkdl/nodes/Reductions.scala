package org.apache.spark.sql.sparkdl.nodes

import scala.collection.mutable

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.sparkdl.columns.ModelCall

import org.sparkdl.errors.SparkDLException
import org.sparkdl.merging.{ReduceTask, Reduction}
import org.sparkdl.tensor.{Compatibility, ShapeMetadata}

/** Puts a [[ReduceModel]] on a plan. */
private[sparkdl] object Reductions {

  /** `columns`, merged for each value of `keys`; both are over the columns of `plan`. */
  def on(
      plan: LogicalPlan,
      reduction: Reduction,
      keys: Seq[NamedExpression],
      columns: Seq[Expression]
  ): ReduceModel = {
    checkBatch(plan, reduction)
    val named = columns.map {
      case n: NamedExpression => n
      case e                  => Alias(e, ModelCall.nameOf(e))()
    }
    named.zip(reduction.inputs).foreach { case (c, spec) =>
      Compatibility.check(reduction.name, spec, c.name, c.dataType)
    }
    // Spark's rules see an ordinary projection: they prune what is below it and evaluate what is in it.
    val seen = mutable.Set.empty[ExprId]
    val needed = Project((keys ++ named).filter(column => seen.add(column.exprId)), plan)
    val inputs = named.map(_.toAttribute)
    ReduceModel(reduction, keys.map(_.toAttribute), inputs, outputs(reduction, inputs), needed)
  }

  private def outputs(reduction: Reduction, inputs: Seq[Attribute]): Seq[Attribute] =
    reduction.columns.indices.map { i =>
      val reader = ReduceTask.resultOf(reduction.inputs(i), inputs(i).dataType)
      val known = ShapeMetadata.ofCell(reduction.inputs(i))
      AttributeReference(reduction.columns(i), reader.dataType, nullable = false, known)()
    }

  private def checkBatch(plan: LogicalPlan, reduction: Reduction): Unit = if (plan.isStreaming)
    throw new SparkDLException(
      s"Cannot merge the rows of a streaming DataFrame with program '${reduction.name}': a stream has no last row. Merge " +
        "each batch in foreachBatch, or use Spark's own aggregates."
    )
}
