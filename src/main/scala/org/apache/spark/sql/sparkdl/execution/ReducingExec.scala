package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Attribute, NamedExpression, UnsafeProjection, UnsafeRow}

import org.sparkdl.merging.{KeyedRows, ReduceTask, Reduction}

/** What the physical nodes that merge rows share. */
private[sparkdl] trait ReducingExec extends ModelExec {
  def reduction: Reduction

  override protected def modelName: String = reduction.name
  override protected def way: Option[String] = Some("reduce")

  /** What an executor needs to merge rows with these columns.
    *
    * @param partial
    *   whether they are rows of the DataFrame, and not results of merges
    */
  protected def taskOf(columns: Seq[Attribute], partial: Boolean): ReduceTask =
    ReduceTask.of(reduction, columns.map(_.name), columns.map(_.dataType), partial, ship)
}

/** The child's rows with the keys computed. */
final private[sparkdl] class KeyedChildRows(
    rows: Iterator[InternalRow],
    keys: Seq[NamedExpression],
    columns: Seq[Attribute],
    child: Seq[Attribute]
) extends KeyedRows {
  private val toKey = UnsafeProjection.create(keys, child)
  private val noKey: Option[UnsafeRow] = if (keys.isEmpty) Some(toKey(InternalRow.empty)) else None
  private var current: InternalRow = _

  override val ordinals: Array[Int] = columns.map(c => child.indexWhere(_.exprId == c.exprId)).toArray

  override def advance(): Boolean = rows.hasNext && {
    current = rows.next()
    true
  }
  override def inputs: InternalRow = current
  override def key: UnsafeRow = if (noKey.isDefined) noKey.get else toKey(current)
}
