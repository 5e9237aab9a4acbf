package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.sql.catalyst.expressions.{Alias, And, Attribute, AttributeMap, Expression}
import org.apache.spark.sql.catalyst.plans.logical.Project

/** Conditions taken apart, and moved in a plan.
  *
  * Spark has both in traits to be mixed in, with methods that are not the same in all its versions.
  */
private[sparkdl] object Conditions {

  /** The conditions that all have to be true. */
  def conjuncts(condition: Expression): Seq[Expression] = condition match {
    case And(left, right) => conjuncts(left) ++ conjuncts(right)
    case other            => Seq(other)
  }

  /** The expression over the columns of a projection's child: what the projection computes is written out. */
  def writeOut(e: Expression, project: Project): Expression = {
    val computed = AttributeMap(project.projectList.collect { case a: Alias => a.toAttribute -> a.child })
    e.transformUp { case a: Attribute => computed.getOrElse(a, a) }
  }
}
