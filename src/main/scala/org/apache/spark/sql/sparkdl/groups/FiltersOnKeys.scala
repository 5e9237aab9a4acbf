package org.apache.spark.sql.sparkdl.groups

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.functions.PlanCatalogFunctions

/** Moves filters with models on grouping keys above the aggregation, so that the model runs once per group: Spark
  * moves what HAVING says of keys below it.
  *
  * A filter stays where the aggregation computes what may fail ([[NeverFails]]): the filter may be what keeps such
  * rows away.
  */
object FiltersOnKeys extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (plan.isStreaming) plan
    else
      PlanCatalogFunctions(plan).transformUp {
        case a: Aggregate if a.groupingExpressions.nonEmpty => raise(a).getOrElse(a)
      }

  private def raise(aggregate: Aggregate): Option[LogicalPlan] = aggregate.child match {
    case f: Filter                    => raise(aggregate, f, Nil, identity)
    case p @ Project(list, f: Filter) => raise(aggregate, f, list, below => p.copy(child = below))
    case _                            => None
  }

  /** @param list
    *   what a projection between the two computes
    * @param over
    *   the child of the aggregation over another child of the filter
    */
  private def raise(
      aggregate: Aggregate,
      filter: Filter,
      list: Seq[NamedExpression],
      over: LogicalPlan => LogicalPlan
  ): Option[LogicalPlan] = {
    val keys = new KeysAbove(aggregate, list)
    val (up, rest) = Conditions.conjuncts(filter.condition).partition(c => appliesModel(c) && keys.decide(c))
    up.map(keys.above).reduceOption(And).filter(seesAnyRow(aggregate.expressions ++ list, filter, _)).map {
      condition =>
        val below = rest.reduceOption(And).fold(filter.child)(Filter(_, filter.child))
        Project(
          aggregate.output,
          Filter(condition, aggregate.copy(aggregateExpressions = keys.columns, child = over(below)))
        )
    }
  }

  /** Whether the expressions may be computed of rows that the filter drops; what the filter computes is already, of
    * rows below the aggregation, and of groups above it.
    */
  private def seesAnyRow(expressions: Seq[Expression], filter: Filter, above: Expression): Boolean = {
    def computed(e: Expression) = Seq(filter.condition, above).exists(_.exists(_.semanticEquals(e)))
    expressions.forall {
      case Alias(child, _) => NeverFails(child) || computed(child)
      case other           => NeverFails(other) || computed(other)
    }
  }

  private def appliesModel(e: Expression): Boolean = e.deterministic && e.exists(_.isInstanceOf[ModelCall])
}

/** The grouping keys as columns of the aggregation.
  *
  * @param list
  *   what a projection below the aggregation computes
  */
private class KeysAbove(aggregate: Aggregate, list: Seq[NamedExpression]) {
  private val columnOf: Seq[(Expression, NamedExpression)] = aggregate.groupingExpressions.map { key =>
    key -> aggregate.aggregateExpressions.find(computes(_, key)).getOrElse(named(key))
  }

  /** All columns of the aggregation and its keys. */
  val columns: Seq[NamedExpression] = (aggregate.aggregateExpressions ++ columnOf.map(_._2)).distinct

  /** Whether all rows of a group have the same value of an expression on rows. */
  def decide(e: Expression): Boolean =
    e.references.nonEmpty && above(e).references.subsetOf(AttributeSet(columnOf.map(_._2.toAttribute)))

  /** An expression on rows as one on groups. */
  def above(e: Expression): Expression = e.transformDown { case part => result(part).getOrElse(part) }

  private def result(part: Expression): Option[Attribute] = {
    val projected = list.collectFirst { case a: Alias if a.child.semanticEquals(part) => a.toAttribute }
    columnOf.collectFirst {
      case (key, column) if key.semanticEquals(projected.getOrElse(part)) => column.toAttribute
    }
  }

  private def computes(column: NamedExpression, key: Expression): Boolean = column match {
    case Alias(child, _) => child.semanticEquals(key)
    case attribute       => attribute.semanticEquals(key)
  }

  private def named(key: Expression): NamedExpression = key match {
    case attribute: Attribute => attribute
    case other                => Alias(other, ModelCall.nameOf(other))()
  }
}
