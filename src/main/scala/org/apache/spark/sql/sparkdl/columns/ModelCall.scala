package org.apache.spark.sql.sparkdl.columns

import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.expressions.{Expression, NamedExpression}
import org.apache.spark.sql.sparkdl.versions.NeverEvaluated
import org.apache.spark.sql.types.DataType

import org.sparkdl.application.ModelApplication
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.tensor.InputFeed

/** A model applied to columns, wherever an expression may stand. It cannot evaluate itself: `LiftModelCalls` takes it
  * out of the plan's expressions into an `EvalModel` node, which runs it batch by batch.
  */
case class ModelCall(application: ModelApplication, children: Seq[Expression])
    extends Expression
    with NeverEvaluated {

  override def nullable: Boolean = true
  override def dataType: DataType = application.dataType
  override def prettyName: String = application.model.name
  override def toString: String = s"$prettyName(${children.mkString(", ")})"
  override def sql: String = s"$prettyName(${children.map(_.sql).mkString(", ")})"

  /** The columns that are fed. Those after them, which only a call with a seed has, are the row's key. */
  def inputs: Seq[Expression] =
    if (application.seed.isDefined) children.take(application.inputs.size) else children

  /** What the random numbers of a row follow from, besides the seed; nothing where they are new in every run. */
  def key: Seq[Expression] =
    if (!application.repeatable) Nil
    else if (children.size > inputs.size) children.drop(inputs.size)
    else inputs

  /** How the columns are fed; needs resolved children. */
  def feeds: Seq[InputFeed] = application.feeds(inputs.map(c => (ModelCall.nameOf(c), c.dataType)))

  /** Analysis is the first that every session sees of a model, so the operator is installed from here: a column made
    * in one session works in another.
    */
  override def checkInputDataTypes(): TypeCheckResult = {
    Operator.installInActiveSession()
    feeds
    TypeCheckResult.TypeCheckSuccess
  }

  /** A format of tables may evaluate expressions by itself, in a writer for example. */
  override protected def refuse(): Nothing = throw new SchemaMismatchException(
    s"Model '$prettyName' cannot be evaluated here, outside of the plan of a query: apply the model in a query, and use " +
      "its result here."
  )

  override protected def withNewChildrenInternal(newChildren: IndexedSeq[Expression]): Expression =
    copy(children = newChildren)
}

object ModelCall {
  private[sparkdl] def nameOf(column: Expression): String = column match {
    case named: NamedExpression => named.name
    case other                  => other.sql
  }
}
