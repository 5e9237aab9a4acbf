package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.{Column, DataFrame, RelationalGroupedDataset, SparkSession}
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{
  Alias,
  Attribute,
  AttributeReference,
  Expression,
  ExpressionInfo,
  NamedExpression
}
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.{Dataset => ClassicDataset, ExpressionUtils, SparkSession => ClassicSession}
import org.apache.spark.sql.connector.catalog.functions.BoundFunction
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction
import org.apache.spark.sql.types.{DataType, StringType}

import org.sparkdl.application.{ModelApplication, ProgramRow}
import org.sparkdl.errors.SparkDLException
import org.sparkdl.merging.Reduction
import org.sparkdl.tensor.ShapeMetadata

/** All that sparkdl needs of Spark's private API, so that another version of Spark touches this package only. */
object Bridge {

  /** The rules of the optimizer, in the order in which they run. */
  private[sparkdl] val rules: Seq[Rule[LogicalPlan]] =
    Seq(
      RefuseStored,
      VariableDefaults,
      FiltersOnKeys,
      LiftModelCalls,
      FileNames,
      MoveModelsUp,
      FilterByJoins,
      UnionsOnce,
      OptimizeModels,
      PushBelowReduce
    )

  /** Installs the operator into a session and those that come from it; doing it again changes nothing. */
  def install(session: SparkSession): Unit = {
    val methods = classic(session).experimental
    methods.synchronized {
      if (!methods.extraStrategies.contains(ModelStrategy)) methods.extraStrategies :+= ModelStrategy
      val missing = rules.filterNot(methods.extraOptimizations.contains)
      if (missing.nonEmpty) methods.extraOptimizations ++= missing
    }
    InstallEverywhere.through(classic(session).extensions)
  }

  /** A model applied to columns, as a column. */
  def column(application: ModelApplication, inputs: Seq[Column]): Column = {
    SparkSession.getActiveSession.foreach(install)
    ExpressionUtils.column(ModelCall(application, inputs.map(ExpressionUtils.expression)))
  }

  /** A DataFrame with the outputs of a model appended.
    *
    * @param inputs
    *   names of the input columns
    * @param outputs
    *   names of the new columns, one per output of the application
    * @param error
    *   name of a new string column for the reasons of invalid rows
    * @param origin
    *   name of a string column, possibly of a struct ("image.origin"), that tells where rows came from
    * @param rejected
    *   name of a string column: a row for which it is not null is invalid, and this is the reason
    */
  def appended(
      df: DataFrame,
      application: ModelApplication,
      inputs: Seq[String],
      outputs: Seq[String],
      error: Option[String],
      origin: Option[String],
      rejected: Option[String] = None
  ): DataFrame = {
    val classicDf = df.asInstanceOf[ClassicDataset[_]]
    val session = classicDf.sparkSession
    install(session)
    val plan = classicDf.queryExecution.analyzed
    def resolved(name: String): Expression = named(classicDf, name) match {
      case a: Alias => a.child
      case e        => e
    }
    // Of a stage, random numbers that a seed makes repeatable follow from the whole row.
    val key = if (application.repeatable) plan.output else Nil
    val call = ModelCall(application, inputs.map(n => resolved(quoted(n))) ++ key)
    call.feeds
    val attributes = outputs.zip(application.outputs).map { case (name, o) => AttributeReference(name, o.dataType)() }
    val reason = error.map(AttributeReference(_, StringType)())
    val node = EvalModel(
      call,
      rejected.map(n => resolved(quoted(n))),
      origin.map(resolved),
      attributes,
      reason,
      plan.output,
      plan
    )
    ClassicDataset.ofRows(session, Project(plan.output ++ renewed(attributes ++ reason), node))
  }

  /** The outputs of a program under these names, followed by all columns of the DataFrame. */
  def mapped(df: DataFrame, application: ModelApplication, inputs: Seq[String], outputs: Seq[String]): DataFrame = {
    val (session, plan, call) = program(df, application.asProgram, inputs)
    val attributes = newColumns(application, outputs)
    val node = EvalModel(call, None, None, attributes, None, plan.output, plan, outputsFirst = true)
    ClassicDataset.ofRows(session, Project(renewed(attributes) ++ plan.output, node))
  }

  /** The outputs of a program that is run once per block of the DataFrame, whatever number of rows they have. */
  def trimmed(df: DataFrame, application: ModelApplication, inputs: Seq[String], outputs: Seq[String]): DataFrame = {
    val alone = application.copy(program = Some(ProgramRow(0L, 0)))
    val (session, plan, call) = program(df, alone, inputs)
    val attributes = newColumns(application, outputs)
    val node = TrimBlocks(call, attributes, Project(call.references.toSeq, plan))
    ClassicDataset.ofRows(session, Project(renewed(attributes), node))
  }

  private def program(
      df: DataFrame,
      application: ModelApplication,
      inputs: Seq[String]
  ): (ClassicSession, LogicalPlan, ModelCall) = {
    val session = classic(df.sparkSession)
    install(session)
    val plan = df.asInstanceOf[ClassicDataset[_]].queryExecution.analyzed
    val call = ModelCall(application, inputs.map(column(df, session, plan, _)))
    call.feeds
    (session, plan, call)
  }

  /** The column of this very name, as the session compares names; Spark's own errors where there is not just one. */
  private def column(df: DataFrame, session: ClassicSession, plan: LogicalPlan, name: String): Expression = {
    val quoted = s"`${name.replace("`", "``")}`"
    plan
      .resolveQuoted(quoted, session.sessionState.conf.resolver)
      .getOrElse(ExpressionUtils.expression(df.col(quoted)))
  }

  /** Outputs of programs are never null: rows that cannot be fed are errors or are left out. */
  private def newColumns(application: ModelApplication, names: Seq[String]): Seq[AttributeReference] =
    names.zip(application.outputs).map { case (name, o) =>
      AttributeReference(name, o.dataType, nullable = false, ShapeMetadata.ofCell(o.spec))()
    }

  /** A projection has other attributes each time that a plan is used, as on both sides of a join. The optimizer takes
    * it out.
    */
  private def renewed(attributes: Seq[Attribute]): Seq[NamedExpression] = attributes.map(a => Alias(a, a.name)())

  /** All rows merged into one; no row when there are none.
    *
    * @param inputs
    *   names of the columns that are merged, in the order of the reduction's columns
    */
  def reduced(df: DataFrame, reduction: Reduction, inputs: Seq[String]): DataFrame = {
    val session = classic(df.sparkSession)
    install(session)
    val plan = df.asInstanceOf[ClassicDataset[_]].queryExecution.analyzed
    merged(Reductions.on(plan, reduction, Nil, inputs.map(column(df, session, plan, _))), session)
  }

  /** The rows of each group merged into one: the keys, then the results. */
  def aggregated(grouped: RelationalGroupedDataset, reduction: Reduction, inputs: Seq[String]): DataFrame = {
    val df = GroupedRows.frameOf(grouped)
    install(df.sparkSession)
    val rows = GroupedRows.of(grouped)
    val columns = inputs.map(column(df, df.sparkSession, rows.child, _))
    merged(Reductions.on(rows.child, reduction, rows.keys, columns), df.sparkSession)
  }

  private def merged(node: ReduceModel, session: ClassicSession): DataFrame =
    ClassicDataset.ofRows(session, Project(node.keys ++ renewed(node.outputs), node))

  /** What is grouped, with its columns. */
  def groupedFrame(grouped: RelationalGroupedDataset): DataFrame = GroupedRows.frameOf(grouped)

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
    install(session)
    val builder = (arguments: Seq[Expression]) =>
      ModelFunction(name, application, fields, prepared(application, arguments, preprocessor))
    val info =
      new ExpressionInfo(classOf[ModelFunction].getName, null, name, usage, "", "", "", "", "", "", "scala_udf")
    classic(session).sessionState.functionRegistry.registerFunction(FunctionIdentifier(name), info, builder)
  }

  /** The arguments that the model gets: what the preprocessor makes of them, but for the row's key. */
  private def prepared(
      application: ModelApplication,
      arguments: Seq[Expression],
      preprocessor: Option[UserDefinedPythonFunction]
  ): Seq[Expression] = preprocessor.fold(arguments) { function =>
    val (given_, key) = if (application.seed.isDefined) arguments.splitAt(1) else (arguments, Nil)
    function.builder(given_) +: key
  }

  /** A model as a function of a catalog, for arguments of these types; throws SchemaMismatchException when they
    * cannot be fed.
    */
  def bound(
      session: SparkSession,
      name: String,
      application: ModelApplication,
      arguments: Seq[DataType]
  ): BoundFunction = {
    install(session)
    CatalogFunction(name, application, arguments).checked
  }

  /** Spark's own resolution of names, with its errors and its case sensitivity. */
  private def named(df: ClassicDataset[_], name: String): NamedExpression =
    df.select(df.col(name)).queryExecution.analyzed.expressions.head.asInstanceOf[NamedExpression]

  private def quoted(name: String): String = if (name.contains(".") && !name.contains("`")) s"`$name`" else name

  private def classic(session: SparkSession): ClassicSession = session match {
    case c: ClassicSession => c
    case _ =>
      throw new SparkDLException(
        "sparkdl runs inside the driver and needs a classic Spark session, not one of Spark Connect: start the session " +
          "with sparkdl.start() or spark-submit, without SPARK_REMOTE and spark.remote."
      )
  }
}
