package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.{Partitioner, TaskContext}
import org.apache.spark.rdd.RDD
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, UnsafeProjection, UnsafeRow}
import org.apache.spark.sql.catalyst.plans.physical.{Partitioning, SinglePartition}
import org.apache.spark.sql.execution.{SparkPlan, UnaryExecNode}

import org.sparkdl.merging.{ReduceIterator, Reduction}

/** [[ReduceModel]] without keys: one row per partition, then a tree over the partitions in their order, whose depth
  * depends on their number. One partition of at most one row comes out.
  */
case class ReduceExec(reduction: Reduction, inputs: Seq[Attribute], outputs: Seq[Attribute], child: SparkPlan)
    extends UnaryExecNode
    with ReducingExec {
  override def output: Seq[Attribute] = outputs
  override def producedAttributes: AttributeSet = AttributeSet(outputs)
  override def outputPartitioning: Partitioning = SinglePartition
  override protected def stringArgs: Iterator[Any] = Iterator(inputs, outputs)

  override protected def doExecute(): RDD[InternalRow] = {
    var rows = merge(child.execute(), inputs, child.output, partial = true)
    do rows = merge(fanIn(rows), outputs, outputs, partial = false)
    while (rows.getNumPartitions > 1)
    rows
  }

  private def merge(
      rows: RDD[InternalRow],
      columns: Seq[Attribute],
      all: Seq[Attribute],
      partial: Boolean
  ): RDD[InternalRow] = {
    val task = taskOf(columns, partial)
    val counters = batchMetrics
    val results = outputs
    rows.mapPartitions { part =>
      val source = new KeyedChildRows(part, Nil, columns, all)
      val merged =
        new ReduceIterator(task, source, keyCount = 0, sorted = true, numbered = false, counters, TaskContext.get())
      merged.map(UnsafeProjection.create(results, results))
    }
  }

  /** Neighbouring partitions, each of which has at most one row, together in one, in their order. */
  private def fanIn(rows: RDD[InternalRow]): RDD[InternalRow] = {
    val neighbours = new Neighbours(rows.getNumPartitions)
    if (rows.getNumPartitions <= 1) rows
    else
      rows
        .mapPartitionsWithIndex((i, part) => part.map(row => (i, row.asInstanceOf[UnsafeRow].copy())))
        .partitionBy(neighbours)
        .mapPartitions(_.toArray.sortBy(_._1).iterator.map(_._2))
  }

  override protected def withNewChildInternal(newChild: SparkPlan): ReduceExec = copy(child = newChild)
}

/** Puts the rows of neighbouring partitions into one partition. */
final private class Neighbours(partitions: Int) extends Partitioner {
  override def numPartitions: Int = (partitions + Neighbours.FanIn - 1) / Neighbours.FanIn
  override def getPartition(key: Any): Int = key.asInstanceOf[Int] / Neighbours.FanIn
}

private object Neighbours {

  /** Results that one task holds at once. */
  val FanIn = 32
}
