package org.apache.spark.sql.sparkdl.groups

import scala.collection.mutable

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.expressions.aggregate._
import org.apache.spark.sql.catalyst.plans.logical.{Aggregate, Project}
import org.apache.spark.sql.sparkdl.columns.ModelCall

/** Takes models on the results of an aggregation out of it, into a projection above: Spark's optimizer merges
  * projections into aggregations, but the rows that such a model takes are those that the aggregation gives. Models
  * within aggregate functions and grouping expressions stay, for they take the rows below, but for those of a FILTER
  * on keys, which is the same for all rows of a group.
  */
private[sparkdl] object AggregateResults {

  /** The aggregation without models on its results, and a projection that has them. */
  def split(aggregate: Aggregate): Option[Project] = {
    val results = new AggregateResults(aggregate)
    val above = aggregate.aggregateExpressions.map(results.above)
    if (above.exists(appliesModel))
      Some(Project(above, aggregate.copy(aggregateExpressions = results.below)))
    else None
  }

  /** What the function gives for a group without rows, where that is known. */
  private def ofNoRows(function: AggregateFunction): Option[Literal] = function match {
    case _: Count                       => Some(Literal(0L))
    case _: CollectList | _: CollectSet => Some(Literal.default(function.dataType))
    case _: Sum | _: Average | _: Min | _: Max | _: MaxMinBy | _: BitAggregate =>
      Some(Literal(null, function.dataType))
    case _: First | _: Last => Some(Literal(null, function.dataType))
    case _                  => None
  }

  private def appliesModel(e: Expression): Boolean = e.exists(_.isInstanceOf[ModelCall])
}

private class AggregateResults(aggregate: Aggregate) {
  private val kept = mutable.ArrayBuffer.empty[NamedExpression]

  /** What the aggregation has to give. */
  def below: Seq[NamedExpression] = kept.toSeq

  /** The expression as it is above the aggregation. */
  def above(result: NamedExpression): NamedExpression = {
    val onResults = takeResults(result)
    if (onResults.exists(_.isInstanceOf[ModelCall])) onResults.asInstanceOf[NamedExpression]
    else { if (!kept.exists(_.exprId == result.exprId)) kept += result; result.toAttribute }
  }

  private def takeResults(e: Expression): Expression = e match {
    case key if aggregate.groupingExpressions.exists(_.semanticEquals(key)) => columnOf(key)
    case function: AggregateExpression                                      => decideByKeys(function)
    case alias: Alias => alias.withNewChildren(Seq(takeResults(alias.child)))
    case other        => other.mapChildren(takeResults)
  }

  /** A filter with a model on keys keeps all rows of a group or none of them. */
  private def decideByKeys(function: AggregateExpression): Expression = {
    val condition = function.filter.filter(f => f.exists(_.isInstanceOf[ModelCall]) && isOfKeys(f))
    val empty = AggregateResults.ofNoRows(function.aggregateFunction)
    if (condition.isEmpty || empty.isEmpty || function.isDistinct || !NeverFails(function.aggregateFunction))
      columnOf(function)
    else If(takeResults(condition.get), columnOf(function.copy(filter = None)), empty.get)
  }

  private def isOfKeys(e: Expression): Boolean = e.references.nonEmpty && e.deterministic && {
    val others = e.transformDown { case k if aggregate.groupingExpressions.exists(_.semanticEquals(k)) => Literal(0) }
    others.references.isEmpty
  }

  private def columnOf(e: Expression): Attribute = {
    def computes(g: NamedExpression) = g match {
      case Alias(child, _) => child.semanticEquals(e)
      case attribute       => attribute.semanticEquals(e)
    }
    kept
      .find(computes)
      .getOrElse {
        val named = e match {
          case n: Attribute => n
          case other        => Alias(other, ModelCall.nameOf(other))()
        }
        kept += named
        named
      }
      .toAttribute
  }
}
