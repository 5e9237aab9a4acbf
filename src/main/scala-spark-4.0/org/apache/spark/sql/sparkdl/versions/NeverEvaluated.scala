package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.Unevaluable
import org.apache.spark.sql.catalyst.expressions.codegen.{CodegenContext, ExprCode}

/** An expression that Spark cannot evaluate. */
trait NeverEvaluated extends Unevaluable {

  /** Fails and says why. */
  protected def refuse(): Nothing

  // Of Unevaluable, where both are errors of Spark's, and which every version composes of other traits.
  override def eval(input: InternalRow = null): Any = refuse()
  override protected def doGenCode(context: CodegenContext, code: ExprCode): ExprCode = refuse()
}
