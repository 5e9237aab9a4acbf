package org.apache.spark.sql.sparkdl.lifting

import org.apache.spark.sql.catalyst.expressions.{And, Expression}
import org.apache.spark.sql.catalyst.plans.InnerLike
import org.apache.spark.sql.catalyst.plans.logical.{Filter, Join}
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.frames.Conditions

/** Takes models on columns of both sides out of the condition of an inner join, into a filter of the joined rows. Of
  * other joins the condition decides more than which of the joined rows stay.
  */
private object JoinConditions {

  def split(join: Join): Option[Filter] = join match {
    case Join(_, _, _: InnerLike, Some(condition), _) =>
      val (both, rest) = Conditions.conjuncts(condition).partition(needsBoth(_, join))
      both.reduceOption(And).map(Filter(_, join.copy(condition = rest.reduceOption(And))))
    case _ => None
  }

  private def needsBoth(condition: Expression, join: Join): Boolean = condition.exists {
    case call: ModelCall => !join.children.exists(side => call.references.subsetOf(side.outputSet))
    case _               => false
  }
}
