package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.planning.ExtractEquiJoinKeys
import org.apache.spark.sql.catalyst.plans.{Inner, LeftAnti, LeftSemi}
import org.apache.spark.sql.catalyst.plans.logical._

/** Nodes that give some of the rows of one child, each at most once.
  *
  * @param looksAt
  *   the columns by which they decide
  * @param child
  *   whose rows these are
  * @param output
  *   what they give
  * @param on
  *   the same over another child
  */
final private case class DropsRows(
    looksAt: AttributeSet,
    child: LogicalPlan,
    output: Seq[Attribute],
    on: LogicalPlan => LogicalPlan
)

private object DropsRows {

  /** A limit gives one partition. A model that runs over more rows than these is worth more tasks. */
  val mostRowsInOneTask = 10000

  /** For each child whose rows the node drops. */
  def of(node: LogicalPlan): Seq[DropsRows] = node match {
    case LimitOfAll(rows, child, on) if rows <= mostRowsInOneTask => Seq(limit(node, child, on))
    case s: Sample if !s.withReplacement =>
      Seq(DropsRows(AttributeSet.empty, s.child, s.output, c => s.withNewChildren(Seq(c))))
    case j: Join => join(j)
    case w: WindowGroupLimit if w.partitionSpec.nonEmpty || w.limit <= mostRowsInOneTask =>
      Seq(DropsRows(AttributeSet(w.expressions), w.child, w.output, c => w.copy(child = c)))
    case _ => Nil
  }

  /** A limit on rows in no order, which any of them may pass. */
  def isUnsortedLimit(node: LogicalPlan): Boolean = node match {
    case LimitOfAll(_, child, _) => !isSorted(child)
    case _                       => false
  }

  private def isSorted(plan: LogicalPlan): Boolean = plan match {
    case s: Sort           => s.global
    case p: Project        => isSorted(p.child)
    case GivesEachRow(row) => isSorted(row.child)
    case _                 => false
  }

  private def limit(node: LogicalPlan, child: LogicalPlan, on: LogicalPlan => LogicalPlan): DropsRows = child match {
    case s: Sort if s.global =>
      DropsRows(AttributeSet(s.order), s.child, node.output, c => on(s.copy(child = c)))
    case _ => DropsRows(AttributeSet.empty, child, node.output, on)
  }

  private def join(j: Join): Seq[DropsRows] = {
    val looksAt = AttributeSet(j.condition.toSeq)
    def left = DropsRows(looksAt, j.left, j.output, c => j.copy(left = c))
    def right = DropsRows(looksAt, j.right, j.output, c => j.copy(right = c))
    j.joinType match {
      case LeftSemi | LeftAnti => Seq(left)
      case Inner =>
        val (leftKeys, rightKeys) = keys(j)
        Seq(left).filter(_ => isUnique(j.right, rightKeys)) ++ Seq(right).filter(_ => isUnique(j.left, leftKeys))
      case _ => Nil
    }
  }

  private def keys(j: Join): (Seq[Expression], Seq[Expression]) = j match {
    case ExtractEquiJoinKeys(_, left, right, _, _, _, _, _) => (left, right)
    case _                                                  => (Nil, Nil)
  }

  /** Whether at most one row has given keys, so that no row of the other side is joined twice. */
  private def isUnique(plan: LogicalPlan, keys: Seq[Expression]): Boolean =
    plan.maxRows.exists(_ <= 1) || plan.distinctKeys.exists(_.subsetOf(ExpressionSet(keys)))
}

/** A limit on all rows of its child, with or without an offset: the rows that it gives, its child, and the same over
  * another child.
  */
private object LimitOfAll {
  def unapply(plan: LogicalPlan): Option[(Int, LogicalPlan, LogicalPlan => LogicalPlan)] = plan match {
    case g @ GlobalLimit(IntegerLiteral(rows), l: LocalLimit) =>
      Some((rows, l.child, c => g.copy(child = l.copy(child = c))))
    case g @ GlobalLimit(IntegerLiteral(rows), o @ Offset(_, l: LocalLimit)) =>
      Some((rows, l.child, c => g.copy(child = o.copy(child = l.copy(child = c)))))
    case o @ Offset(_, LimitOfAll(rows, child, on)) => Some((rows, child, c => o.copy(child = on(c))))
    case _                                          => None
  }
}
