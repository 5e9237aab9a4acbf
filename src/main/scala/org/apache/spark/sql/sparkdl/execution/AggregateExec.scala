package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Alias,
  Ascending,
  Attribute,
  AttributeReference,
  AttributeSet,
  NamedExpression,
  SortOrder,
  UnsafeProjection
}
import org.apache.spark.sql.catalyst.optimizer.NormalizeFloatingNumbers
import org.apache.spark.sql.catalyst.plans.physical.Distribution
import org.apache.spark.sql.execution.{PartitioningPreservingUnaryExecNode, SparkPlan}
import org.apache.spark.sql.sparkdl.nodes.ReduceModel
import org.apache.spark.sql.sparkdl.versions.SparkApi
import org.apache.spark.sql.types.LongType

import org.sparkdl.merging.{ReduceIterator, Reduction}

/** Either part of [[ReduceModel]] with keys. */
private[sparkdl] trait KeyedReducingExec extends PartitioningPreservingUnaryExecNode with ReducingExec {
  def keys: Seq[NamedExpression]

  /** Merges these columns of the child's rows by key.
    *
    * @param partial
    *   whether rows come as they are, and results get the number that orders them; otherwise they come sorted
    */
  protected def merge(columns: Seq[Attribute], partial: Boolean): RDD[InternalRow] = {
    val task = taskOf(columns, partial)
    val counters = batchMetrics
    val (by, all, results) = (keys, child.output, output)
    child.execute().mapPartitions { rows =>
      val source = new KeyedChildRows(rows, by, columns, all)
      val merged =
        new ReduceIterator(task, source, by.size, sorted = !partial, numbered = partial, counters, TaskContext.get())
      merged.map(UnsafeProjection.create(results, results))
    }
  }
}

/** [[ReduceModel]] with keys, the part before the shuffle: merges what rows of a key come near to each other in a
  * partition.
  *
  * @param keys
  *   normalized, so that equal keys have equal bytes
  * @param order
  *   the order of the results of a key: the shuffle may bring them in any
  */
case class PartialAggregateExec(
    reduction: Reduction,
    keys: Seq[NamedExpression],
    inputs: Seq[Attribute],
    order: Attribute,
    outputs: Seq[Attribute],
    child: SparkPlan
) extends KeyedReducingExec {
  override def output: Seq[Attribute] = (keys.map(_.toAttribute) :+ order) ++ outputs
  override def producedAttributes: AttributeSet = AttributeSet(order +: outputs)
  override protected def outputExpressions: Seq[NamedExpression] = output
  override protected def way: Option[String] = Some("partial reduce")
  override protected def stringArgs: Iterator[Any] = Iterator(keys, inputs)

  override protected def doExecute(): RDD[InternalRow] = merge(inputs, partial = true)

  override protected def withNewChildInternal(newChild: SparkPlan): PartialAggregateExec = copy(child = newChild)
}

/** [[ReduceModel]] with keys, the part after the shuffle: rows come sorted by key, and for each key in the order of
  * the partitions. Groups are merged as they go by, so a group may be larger than memory.
  */
case class AggregateExec(
    reduction: Reduction,
    keys: Seq[Attribute],
    order: Attribute,
    outputs: Seq[Attribute],
    child: SparkPlan
) extends KeyedReducingExec {
  override def output: Seq[Attribute] = keys ++ outputs
  override protected def outputExpressions: Seq[NamedExpression] = output
  override def outputOrdering: Seq[SortOrder] = keys.map(SortOrder(_, Ascending))
  override def requiredChildDistribution: Seq[Distribution] = Seq(SparkApi.current.clustered(keys))
  override def requiredChildOrdering: Seq[Seq[SortOrder]] = Seq((keys :+ order).map(SortOrder(_, Ascending)))
  override protected def stringArgs: Iterator[Any] = Iterator(keys, outputs)

  override protected def doExecute(): RDD[InternalRow] = merge(outputs, partial = false)

  override protected def withNewChildInternal(newChild: SparkPlan): AggregateExec = copy(child = newChild)
}

private[sparkdl] object AggregateExec {

  /** Both parts. */
  def of(model: ReduceModel, child: SparkPlan): SparkPlan = {
    val order = AttributeReference("order", LongType, nullable = false)()
    val partial =
      PartialAggregateExec(model.reduction, model.keys.map(normalize), model.inputs, order, model.outputs, child)
    AggregateExec(model.reduction, model.keys, order, model.outputs, partial)
  }

  /** As Spark's own aggregation does it: one NaN, one zero. */
  private def normalize(key: Attribute): NamedExpression = NormalizeFloatingNumbers.normalize(key) match {
    case same: NamedExpression => same
    case other                 => Alias(other, key.name)(exprId = key.exprId)
  }
}
