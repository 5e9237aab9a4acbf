package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions.{Expression, ExpressionInfo}
import org.apache.spark.sql.connector.catalog.functions.BoundFunction
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction
import org.apache.spark.sql.sparkdl.columns.Operator
import org.apache.spark.sql.sparkdl.frames.FramePlans
import org.apache.spark.sql.sparkdl.versions.SparkApi
import org.apache.spark.sql.types.DataType

import org.sparkdl.application.ModelApplication

/** Makes models known as SQL functions. */
object ModelFunctions {

  /** Registers a model as a SQL function of the session: batched, listed and described like others.
    *
    * @param fields
    *   see [[ModelFunction]]
    * @param preprocessor
    *   a Python function that the arguments go through first
    */
  def register(
      session: SparkSession,
      name: String,
      application: ModelApplication,
      fields: Map[String, String],
      preprocessor: Option[UserDefinedPythonFunction],
      usage: String
  ): Unit = {
    Operator.install(session)
    val builder = (arguments: Seq[Expression]) =>
      ModelFunction(name, application, fields, preprocess(application, arguments, preprocessor))
    val info =
      new ExpressionInfo(classOf[ModelFunction].getName, null, name, usage, "", "", "", "", "", "", "scala_udf")
    val registry = FramePlans.classic(session).sessionState.functionRegistry
    registry.registerFunction(SparkApi.current.temporaryFunction(name), info, builder)
  }

  /** The arguments that the model gets: what the preprocessor makes of them, but for the row's key. */
  private def preprocess(
      application: ModelApplication,
      arguments: Seq[Expression],
      preprocessor: Option[UserDefinedPythonFunction]
  ): Seq[Expression] = preprocessor.fold(arguments) { function =>
    val (inputs, key) = if (application.seed.isDefined) arguments.splitAt(1) else (arguments, Nil)
    function.builder(inputs) +: key
  }

  /** A model as a function of a catalog, for arguments of these types; throws SchemaMismatchException when they
    * cannot be fed.
    */
  def bind(
      session: SparkSession,
      name: String,
      application: ModelApplication,
      arguments: Seq[DataType]
  ): BoundFunction = {
    Operator.install(session)
    CatalogFunction(name, application, arguments).checked
  }
}
