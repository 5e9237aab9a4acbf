package org.apache.spark.sql.sparkdl.lifting

import org.apache.spark.sql.catalyst.expressions.{LambdaFunction, NamedLambdaVariable}
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.catalyst.plans.logical.{Join, LogicalPlan}
import org.apache.spark.sql.sparkdl.columns.ModelCall

import org.sparkdl.errors.SchemaMismatchException

/** Places in a query where no rows can be given to a model, and what to write instead. */
private object Refusals {

  /** A call that uses the variable of a function around it; functions within its own inputs are fine. */
  def refuseInLambda(call: ModelCall): Unit = {
    val bound = call.collect { case f: LambdaFunction => f.arguments.map(_.exprId) }.flatten.toSet
    if (call.exists { case v: NamedLambdaVariable => !bound(v.exprId); case _ => false })
      throw new SchemaMismatchException(
        s"Model '${call.prettyName}' cannot be applied inside a higher-order function such as transform(array, ...): " +
          "explode the array into rows, apply the model, and collect the results again."
      )
  }

  /** A call on results of aggregate functions that are computed by its node itself. */
  def refuseOnAggregates(call: ModelCall, node: LogicalPlan): Unit =
    if (call.exists(_.isInstanceOf[AggregateExpression])) refuseWithoutRows(call, node)

  /** A call on what no child of its node gives. */
  def refuseWithoutRows(call: ModelCall, node: LogicalPlan): Nothing = node match {
    case join: Join =>
      throw new SchemaMismatchException(
        s"Model '${call.prettyName}' takes columns of both sides of a join in the condition of a ${join.joinType.sql} " +
          "join: join first, then apply the model to the joined rows."
      )
    case other =>
      throw new SchemaMismatchException(
        s"Model '${call.prettyName}' cannot be applied in ${other.nodeName}, which gives it no rows with " +
          s"${call.children.map(_.sql).mkString(", ")}: apply the model in a query of its own, and use its result here."
      )
  }
}
