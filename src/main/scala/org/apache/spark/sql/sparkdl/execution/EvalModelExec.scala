package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeSet,
  Expression,
  NamedExpression,
  SortOrder,
  UnsafeProjection
}
import org.apache.spark.sql.execution.{OrderPreservingUnaryExecNode, PartitioningPreservingUnaryExecNode, SparkPlan}
import org.apache.spark.sql.sparkdl.columns.ModelCall

import org.sparkdl.rows.BatchIterator

/** The operator: [[EvalModel]] as Spark runs it. One task runs one partition, in the order of its rows. */
case class EvalModelExec(
    call: ModelCall,
    rejected: Option[Expression],
    rowSource: Option[Expression],
    outputs: Seq[Attribute],
    error: Option[Attribute],
    carried: Seq[Attribute],
    child: SparkPlan,
    outputsFirst: Boolean
) extends OrderPreservingUnaryExecNode
    with PartitioningPreservingUnaryExecNode
    with ModelExec {

  override def output: Seq[Attribute] = if (outputsFirst) outputs ++ error ++ carried else carried ++ outputs ++ error
  override def producedAttributes: AttributeSet = AttributeSet(outputs ++ error)
  override protected def outputExpressions: Seq[NamedExpression] = output
  override protected def orderingExpressions: Seq[SortOrder] = child.outputOrdering
  override protected def modelName: String = call.application.model.name
  override protected def way: Option[String] = call.application.block.map(_ => "blocks")

  override protected def doExecute(): RDD[InternalRow] = {
    val task = taskOf(call, error.isDefined)
    val counters = batchMetrics
    val layout = RowLayout(child.output, call.inputs, carried, rejected, rowSource, call.key)
    val (columns, results) = (output, carried ++ outputs ++ error)
    child.execute().mapPartitions { rows =>
      val toUnsafe = UnsafeProjection.create(columns, results)
      new BatchIterator(task, new ChildRows(rows, layout), counters, TaskContext.get()).map(toUnsafe)
    }
  }

  override protected def withNewChildInternal(newChild: SparkPlan): EvalModelExec = copy(child = newChild)
}
