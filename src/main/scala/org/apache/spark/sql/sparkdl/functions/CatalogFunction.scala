package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{AttributeReference, Expression}
import org.apache.spark.sql.catalyst.plans.logical.LocalRelation
import org.apache.spark.sql.connector.catalog.functions.ScalarFunction
import org.apache.spark.sql.types.DataType

import org.sparkdl.application.ModelApplication

/** A model as a function of a catalog, bound to arguments of these types; [[PlanCatalogFunctions]] makes it one that
  * is batched. Spark evaluates calls on constants itself, while it plans: those take the way of one row through a
  * query.
  */
final case class CatalogFunction(function: String, application: ModelApplication, arguments: Seq[DataType])
    extends ScalarFunction[Any] {
  override def name(): String = function
  override def toString: String = function
  override def canonicalName(): String = s"sparkdl.${application.model.graph.hash}.$function"
  override def inputTypes(): Array[DataType] = arguments.toArray

  /** Else Spark would draw once for a call on constants, and not for each row. */
  override def isDeterministic: Boolean = application.model.random.isEmpty

  override def resultType(): DataType = application.dataType

  def apply(columns: Seq[Expression]): ModelFunction =
    ModelFunction(function, application, Map.empty, columns)

  /** Refuses arguments that cannot be fed. */
  private[sparkdl] def checked: CatalogFunction = { apply(columns).checkInputDataTypes(); this }

  private def columns: Seq[AttributeReference] = arguments.zipWithIndex.map { case (t, i) =>
    AttributeReference(s"argument ${i + 1}", t)()
  }

  override def produceResult(row: InternalRow): Any = {
    val inputs = columns
    QueryValue.over(LocalRelation(inputs, Seq(row.copy())), apply(inputs))
  }
}
