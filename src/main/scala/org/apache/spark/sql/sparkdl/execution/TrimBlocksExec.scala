package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.TaskContext
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, UnsafeProjection}
import org.apache.spark.sql.catalyst.plans.physical.{Partitioning, UnknownPartitioning}
import org.apache.spark.sql.execution.{SparkPlan, UnaryExecNode}
import org.apache.spark.sql.sparkdl.columns.ModelCall

import org.sparkdl.rows.BlockIterator

/** [[TrimBlocks]] as Spark runs it: one task runs one partition, block by block. */
case class TrimBlocksExec(call: ModelCall, outputs: Seq[Attribute], child: SparkPlan)
    extends UnaryExecNode
    with ModelExec {

  override def output: Seq[Attribute] = outputs
  override def producedAttributes: AttributeSet = AttributeSet(outputs)
  override def outputPartitioning: Partitioning = UnknownPartitioning(child.outputPartitioning.numPartitions)
  override protected def modelName: String = call.application.model.name
  override protected def way: Option[String] = Some("blocks")

  override protected def doExecute(): RDD[InternalRow] = {
    val task = taskOf(call, emitError = false, trimmed = true)
    val counters = batchMetrics
    val layout = RowLayout(child.output, call.inputs, Nil, None, None)
    val columns = output
    child.execute().mapPartitions { rows =>
      val toUnsafe = UnsafeProjection.create(columns, columns)
      new BlockIterator(task, new ChildRows(rows, layout), counters, TaskContext.get()).map(toUnsafe)
    }
  }

  override protected def withNewChildInternal(newChild: SparkPlan): TrimBlocksExec = copy(child = newChild)
}
