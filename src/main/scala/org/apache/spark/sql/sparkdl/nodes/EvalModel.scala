package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, Expression, ExpressionSet}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, UnaryNode}
import org.apache.spark.sql.sparkdl.columns.ModelCall

import org.sparkdl.application.HandleInvalid

/** A node that runs a model, whose call is not lifted out of it. */
private[sparkdl] trait RunsModel extends UnaryNode {
  def call: ModelCall
}

/** Runs a model over the rows of its child and appends its outputs to the columns that are carried along.
  *
  * @param call
  *   the model and its input columns
  * @param rejected
  *   a string expression: a row for which it is not null is invalid, and this is the reason
  * @param rowSource
  *   a string expression that tells where a row came from, for error messages
  * @param outputs
  *   one attribute per output of the application
  * @param error
  *   the attribute that takes the reasons of invalid rows, if wanted
  * @param carried
  *   the child's attributes that are passed on; the optimizer narrows them to those that somebody needs
  * @param outputsFirst
  *   whether the outputs stand before the carried columns
  */
case class EvalModel(
    call: ModelCall,
    rejected: Option[Expression],
    rowSource: Option[Expression],
    outputs: Seq[Attribute],
    error: Option[Attribute],
    carried: Seq[Attribute],
    child: LogicalPlan,
    outputsFirst: Boolean = false
) extends RunsModel {
  override def output: Seq[Attribute] = if (outputsFirst) outputs ++ error ++ carried else carried ++ outputs ++ error
  override def producedAttributes: AttributeSet = AttributeSet(outputs ++ error)

  /** What the child must deliver. */
  @transient override lazy val references: AttributeSet =
    AttributeSet.fromAttributeSets((Seq(call) ++ rejected ++ rowSource).map(_.references)) ++ AttributeSet(carried)

  override def maxRows: Option[Long] = child.maxRows
  override def maxRowsPerPartition: Option[Long] = child.maxRowsPerPartition

  /** Whether what comes of a row depends on that row only: else filters and limits must stay above. */
  def byRow: Boolean = call.application.block.isEmpty

  /** Whether each row of the child gives exactly one row. */
  def keepsRows: Boolean = call.application.handleInvalid != HandleInvalid.Skip

  override protected def withNewChildInternal(newChild: LogicalPlan): EvalModel = copy(child = newChild)
}

/** Runs a program once per block of its child's rows and gives the rows of its outputs instead of them, whatever
  * their number. A child without rows gives none.
  *
  * @param outputs
  *   one attribute per output of the application
  */
case class TrimBlocks(call: ModelCall, outputs: Seq[Attribute], child: LogicalPlan) extends RunsModel {
  override def output: Seq[Attribute] = outputs
  override def producedAttributes: AttributeSet = AttributeSet(outputs)
  @transient override lazy val references: AttributeSet = call.references
  override def maxRows: Option[Long] = None

  // What is known of the child's rows does not hold for those of the outputs.
  override protected lazy val validConstraints: ExpressionSet = ExpressionSet()

  override protected def withNewChildInternal(newChild: LogicalPlan): TrimBlocks = copy(child = newChild)
}
