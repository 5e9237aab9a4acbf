package org.apache.spark.sql.sparkdl.lifting

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.groups.NeverFails
import org.apache.spark.sql.sparkdl.versions.SparkApi
import org.apache.spark.sql.types.{DataType, DoubleType, FloatType}

/** Leaves a filter with a model on a join's key to one side: what a query says of the key of one side, Spark says of
  * the other side's, too, for a comparison costs less than a row that is joined. A model costs more. The side with
  * fewer rows keeps the filter, where the join allows it.
  */
object FilterOneSide extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (plan.isStreaming || !plan.exists(filtersByModel)) plan
    else plan.transformUp { case join: Join => relieve(join) }

  private def filtersByModel(node: LogicalPlan): Boolean = node match {
    case f: Filter => f.condition.exists(_.isInstanceOf[ModelCall])
    case _         => false
  }

  private def relieve(join: Join): Join = {
    val keys = equalKeys(join)
    def right = if (keepsLeft(join.joinType)) new ImpliedFilters(join.left, keys).drop(join.right) else None
    def left =
      if (keepsRight(join.joinType)) new ImpliedFilters(join.right, keys.map(_.swap)).drop(join.left) else None
    def lessRight = right.map(r => join.copy(right = r))
    def lessLeft = left.map(l => join.copy(left = l))
    (if (isSmaller(join.left, join.right)) lessRight.orElse(lessLeft) else lessLeft.orElse(lessRight)).getOrElse(join)
  }

  /** Whether rows of the right have no effect without a match on the left. */
  private def keepsLeft(kind: JoinType): Boolean = kind match {
    case _: InnerLike | LeftOuter | LeftSemi | LeftAnti | _: ExistenceJoin => true
    case _                                                                 => false
  }

  private def keepsRight(kind: JoinType): Boolean = kind match {
    case _: InnerLike | RightOuter | LeftSemi => true
    case _                                    => false
  }

  private def isSmaller(one: LogicalPlan, other: LogicalPlan): Boolean =
    (one.stats.rowCount, other.stats.rowCount) match {
      case (Some(rows), Some(others)) => rows <= others
      case _                          => one.stats.sizeInBytes <= other.stats.sizeInBytes
    }

  /** What is equal in joined rows, on the left and on the right. */
  private def equalKeys(join: Join): Seq[(Expression, Expression)] =
    join.condition.toSeq.flatMap(Conditions.conjuncts).collect {
      case EqualTo(a, b) if isOf(a, join.left) && isOf(b, join.right) && isSame(a.dataType) => a -> b
      case EqualTo(a, b) if isOf(b, join.left) && isOf(a, join.right) && isSame(a.dataType) => b -> a
    }

  private def isOf(e: Expression, side: LogicalPlan): Boolean =
    e.references.nonEmpty && e.deterministic && e.references.subsetOf(side.outputSet)

  /** Whether a model gives the same for equal values: 0.0 and -0.0 are equal, and so are texts of some collations. */
  private def isSame(t: DataType): Boolean =
    SparkApi.current.isEqualByBytes(t) && !t.existsRecursively(part => part == FloatType || part == DoubleType)
}

/** The filters with models that hold for the rows of one side of a join, as filters of the other side.
  *
  * @param keys
  *   what is equal, on that side and on the other
  */
private class ImpliedFilters(side: LogicalPlan, keys: Seq[(Expression, Expression)]) {

  private lazy val filters: Seq[Expression] = side.constraints.toSeq
    .filter(isRepeatable)
    .map(_.transformDown {
      case part if keys.exists(_._1.semanticEquals(part)) => keys.find(_._1.semanticEquals(part)).get._2
    })

  private def isRepeatable(e: Expression): Boolean = {
    val models = e.collect { case call: ModelCall => call.application }
    models.nonEmpty && !models.exists(_.mayDraw)
  }

  /** The other side without these filters, if it has any of them that need not be there. */
  def drop(other: LogicalPlan): Option[LogicalPlan] =
    if (keys.isEmpty || !keys.forall(key => NeverFails(key._2))) None
    else Some(without(other, filters)).filter(_ != other)

  /** Filters stay below what may fail: they may be what keeps such rows away. */
  private def without(plan: LogicalPlan, implied: Seq[Expression]): LogicalPlan = plan match {
    case f @ Filter(condition, child) =>
      val rest = Conditions.conjuncts(condition).filterNot(c => implied.exists(_.semanticEquals(c)))
      val below = without(child, implied)
      if (!rest.forall(NeverFails(_))) f
      else if (rest.isEmpty) below
      else f.copy(condition = rest.reduce(And), child = below)
    case p: Project if p.projectList.forall(e => e.deterministic && NeverFails(e)) =>
      p.copy(child = without(p.child, implied.map(Conditions.writeOut(_, p))))
    case other => other
  }
}
