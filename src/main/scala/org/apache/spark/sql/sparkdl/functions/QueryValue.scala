package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Alias, Expression, LeafExpression}
import org.apache.spark.sql.catalyst.expressions.codegen.CodegenFallback
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, OneRowRelation, Project}
import org.apache.spark.sql.classic.{Dataset => ClassicDataset, SparkSession => ClassicSession}
import org.apache.spark.sql.types.DataType

/** The value of an expression without columns that may hold models: where Spark evaluates it outside of a plan, a
  * query of one row does.
  */
case class QueryValue(expression: Expression) extends LeafExpression with CodegenFallback {
  override def nullable: Boolean = expression.nullable
  override def dataType: DataType = expression.dataType
  override def toString: String = expression.toString
  override def sql: String = expression.sql
  override def eval(input: InternalRow): Any = QueryValue.over(OneRowRelation(), expression)
}

object QueryValue {

  /** What an expression gives for the only row of a plan. */
  private[sparkdl] def over(row: LogicalPlan, expression: Expression): Any = {
    val query = Project(Seq(Alias(expression, "value")()), row)
    val execution = ClassicDataset.ofRows(ClassicSession.active, query).queryExecution
    execution.executedPlan.executeCollect().head.get(0, expression.dataType)
  }
}
