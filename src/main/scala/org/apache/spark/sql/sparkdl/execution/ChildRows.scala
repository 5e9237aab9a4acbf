package org.apache.spark.sql.sparkdl.execution

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{
  Attribute,
  AttributeSeq,
  BindReferences,
  Expression,
  UnsafeProjection,
  UnsafeRow,
  XXH64
}

import org.sparkdl.rows.RowSource

/** Where the operator finds what it needs in the rows of its child. Travels to the executors.
  *
  * @param inputs
  *   the columns that are fed
  * @param carried
  *   the columns that are passed on
  * @param rejected
  *   a string that is not null for a row that is invalid already: its reason
  * @param origin
  *   a string that tells where a row came from
  * @param key
  *   what tells a row from others
  */
final private[sparkdl] case class RowLayout(
    child: Seq[Attribute],
    inputs: Seq[Expression],
    carried: Seq[Attribute],
    rejected: Option[Expression],
    origin: Option[Expression],
    key: Seq[Expression] = Nil
) {

  /** The ordinals of the inputs in the child's rows; None when some of them have to be computed. */
  def inputOrdinals: Option[Array[Int]] = {
    val ordinals = inputs.map { case a: Attribute => child.indexWhere(_.exprId == a.exprId); case _ => -1 }
    if (ordinals.contains(-1)) None else Some(ordinals.toArray)
  }

  def bind(expression: Option[Expression]): Option[Expression] =
    expression.map(BindReferences.bindReference(_, new AttributeSeq(child)))
}

/** The child's rows. Inputs that are columns are read where they are; others are projected first. */
final private[sparkdl] class ChildRows(rows: Iterator[InternalRow], layout: RowLayout) extends RowSource {
  private val toInputs =
    if (layout.inputOrdinals.isDefined) None else Some(UnsafeProjection.create(layout.inputs, layout.child))
  override val ordinals: Array[Int] = layout.inputOrdinals.getOrElse(layout.inputs.indices.toArray)

  private val carriesAll = layout.carried.map(_.exprId) == layout.child.map(_.exprId)
  private val toCarried = UnsafeProjection.create(layout.carried, layout.child)
  private val rejection = layout.bind(layout.rejected)
  private val place = layout.bind(layout.origin)
  private lazy val toKey = UnsafeProjection.create(layout.key, layout.child)

  private var current: InternalRow = _
  private var projected: InternalRow = _

  override def advance(): Boolean = rows.hasNext && {
    current = rows.next()
    projected = toInputs.fold(current)(_(current))
    true
  }

  override def inputs: InternalRow = projected

  override def rejected: String = text(rejection)

  override def origin: Option[String] = Option(text(place))

  /** A hash of the columns' bytes, which are the same however Spark holds the row: rows are grouped by them, too. */
  override def key: Long = {
    val row = toKey(current)
    XXH64.hashUnsafeBytes(row.getBaseObject, row.getBaseOffset, row.getSizeInBytes, 0L)
  }

  override def carried(): InternalRow =
    if (layout.carried.isEmpty) InternalRow.empty
    else
      current match {
        case row: UnsafeRow if carriesAll => row.copy()
        case row                          => toCarried(row).copy()
      }

  private def text(expression: Option[Expression]): String =
    if (expression.isEmpty) null
    else {
      val value = expression.get.eval(current)
      if (value == null) null else value.toString
    }
}
