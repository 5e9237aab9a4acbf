package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.expressions.aggregate._
import org.apache.spark.sql.types.{DoubleType, FloatType}

/** Whether an expression gives a value for every row, so that it may see rows that a filter keeps away from it now.
  * What is not known to do so is taken to fail, models among it, whose rows are not to become more.
  */
private object NeverFails {

  def apply(e: Expression): Boolean = itself(e) && e.children.forall(apply)

  private def itself(e: Expression): Boolean = e match {
    case _: Attribute | _: Literal | _: Alias | _: GetStructField | _: CreateNamedStruct => true
    case _: If | _: CaseWhen | _: Coalesce | _: IsNull | _: IsNotNull                    => true
    case _: And | _: Or | _: Not | _: BinaryComparison | _: In | _: InSet                => true
    case _: Add | _: Subtract | _: Multiply                                              => isFloating(e)
    case c: Cast                => Cast.canUpCast(c.child.dataType, c.dataType)
    case a: AggregateExpression => !a.isDistinct || a.filter.isEmpty
    case _: Count | _: Sum | _: Average | _: Min | _: Max | _: First | _: Last | _: CollectList | _: CollectSet =>
      true
    case _ => false
  }

  private def isFloating(e: Expression): Boolean = e.dataType == DoubleType || e.dataType == FloatType
}
