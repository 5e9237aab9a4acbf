package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, UnaryNode}

import org.sparkdl.merging.Reduction

/** Merges the rows of each group of its child into one by a program.
  *
  * @param keys
  *   what the groups have in common; without keys all rows are one group, and there is no row when the child has none
  * @param inputs
  *   the columns that are merged
  * @param outputs
  *   their results
  */
case class ReduceModel(
    reduction: Reduction,
    keys: Seq[Attribute],
    inputs: Seq[Attribute],
    outputs: Seq[Attribute],
    child: LogicalPlan
) extends UnaryNode {
  override def output: Seq[Attribute] = keys ++ outputs
  override def producedAttributes: AttributeSet = AttributeSet(outputs)
  @transient override lazy val references: AttributeSet = AttributeSet(keys ++ inputs)
  override def maxRows: Option[Long] = if (keys.isEmpty) Some(1L) else child.maxRows
  override protected def stringArgs: Iterator[Any] = Iterator(reduction.name, keys, inputs, outputs)
  override protected def withNewChildInternal(newChild: LogicalPlan): ReduceModel = copy(child = newChild)
}
