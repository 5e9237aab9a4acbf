package org.apache.spark.sql.sparkdl.groups

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.expressions.aggregate._
import org.apache.spark.sql.types.{DoubleType, FloatType, LongType}

/** Whether an expression gives a value for every row, so that it may see rows that a filter keeps away from it now.
  * What is not known to do so is taken to fail, models among it, whose rows are not to become more.
  */
private[sparkdl] object NeverFails {

  def apply(e: Expression): Boolean = itself(e) && e.children.forall(apply)

  private def itself(e: Expression): Boolean = e match {
    case _: Attribute | _: Literal | _: Alias | _: GetStructField | _: CreateNamedStruct => true
    case _: If | _: CaseWhen | _: Coalesce | _: IsNull | _: IsNotNull                    => true
    case _: And | _: Or | _: Not | _: BinaryComparison | _: In | _: InSet                => true
    case _: Add | _: Subtract | _: Multiply                                              => isFloating(e)
    case Remainder(_, by: Literal, _) => by.value != null && !isZero(by)
    case c: Cast                      => Cast.canUpCast(c.child.dataType, c.dataType)
    case a: AggregateExpression       => !a.isDistinct || a.filter.isEmpty
    case s: Sum => s.child.dataType != LongType // of narrower numbers it takes billions of rows to overflow
    case _: Count | _: Average | _: Min | _: Max | _: MaxMinBy | _: BitAggregate => true
    case _: First | _: Last | _: CollectList | _: CollectSet                     => true
    case _                                                                       => false
  }

  private def isZero(number: Literal): Boolean = number.value.toString.toDouble == 0

  private def isFloating(e: Expression): Boolean = e.dataType == DoubleType || e.dataType == FloatType
}
