package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions.{Attribute, AttributeSet, Expression}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, UnaryNode}

import org.sparkdl.plan.HandleInvalid

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
  */
case class EvalModel(
    call: ModelCall,
    rejected: Option[Expression],
    rowSource: Option[Expression],
    outputs: Seq[Attribute],
    error: Option[Attribute],
    carried: Seq[Attribute],
    child: LogicalPlan
) extends UnaryNode {
  override def output: Seq[Attribute] = carried ++ outputs ++ error
  override def producedAttributes: AttributeSet = AttributeSet(outputs ++ error)

  /** What the child must deliver. */
  @transient override lazy val references: AttributeSet =
    AttributeSet.fromAttributeSets((Seq(call) ++ rejected ++ rowSource).map(_.references)) ++ AttributeSet(carried)

  override def maxRows: Option[Long] = child.maxRows

  /** Whether each row of the child gives exactly one row. */
  def keepsRows: Boolean = call.application.handleInvalid != HandleInvalid.Skip

  override protected def withNewChildInternal(newChild: LogicalPlan): EvalModel = copy(child = newChild)
}
