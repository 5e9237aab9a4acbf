package org.sparkdl.sql

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.connector.catalog.functions.{BoundFunction, UnboundFunction}
import org.apache.spark.sql.sparkdl.functions.ModelFunctions
import org.apache.spark.sql.types.StructType

import org.sparkdl.Model

/** A model of a [[ModelCatalog]] before Spark knows its arguments. */
final private class CatalogModel(function: String, model: Model) extends UnboundFunction {
  override def name(): String = function
  override def description(): String = model.describe()

  override def bind(arguments: StructType): BoundFunction = {
    val session = SparkSession.active
    ModelFunctions.bind(session, function, model.expressionApplication(session), arguments.map(_.dataType))
  }
}
