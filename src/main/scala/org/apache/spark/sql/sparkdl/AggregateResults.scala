package org.apache.spark.sql.sparkdl

import scala.collection.mutable

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.expressions.aggregate.AggregateExpression
import org.apache.spark.sql.catalyst.plans.logical.{Aggregate, Project}

/** Takes models on the results of an aggregation out of it, into a projection above: Spark's optimizer merges
  * projections into aggregations, but the rows that such a model takes are those that the aggregation gives. Models
  * within aggregate functions and grouping expressions stay, for they take the rows below.
  */
private object AggregateResults {

  /** The aggregation without models on its results, and a projection that has them. */
  def split(aggregate: Aggregate): Option[Project] = {
    val results = new AggregateResults(aggregate)
    val above = aggregate.aggregateExpressions.map(results.above)
    if (above.exists(appliesModel))
      Some(Project(above, aggregate.copy(aggregateExpressions = results.below)))
    else None
  }

  private def appliesModel(e: Expression): Boolean = e.exists(_.isInstanceOf[ModelCall])
}

private class AggregateResults(aggregate: Aggregate) {
  private val kept = mutable.ArrayBuffer.empty[NamedExpression]

  /** What the aggregation has to give. */
  def below: Seq[NamedExpression] = kept.toSeq

  /** The expression as it is above the aggregation. */
  def above(result: NamedExpression): NamedExpression = {
    val replaced = onResults(result)
    if (replaced.exists(_.isInstanceOf[ModelCall])) replaced.asInstanceOf[NamedExpression]
    else { if (!kept.exists(_.exprId == result.exprId)) kept += result; result.toAttribute }
  }

  private def onResults(e: Expression): Expression = e match {
    case key if aggregate.groupingExpressions.exists(_.semanticEquals(key)) => provided(key)
    case function: AggregateExpression                                      => provided(function)
    case alias: Alias => alias.withNewChildren(Seq(onResults(alias.child)))
    case other        => other.mapChildren(onResults)
  }

  private def provided(e: Expression): Attribute = {
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
