package org.apache.spark.sql.sparkdl.nodes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.expressions.AttributeReference
import org.apache.spark.sql.catalyst.plans.logical.{LogicalPlan, Project}
import org.apache.spark.sql.sparkdl.columns.{ModelCall, Operator}
import org.apache.spark.sql.sparkdl.frames.{ColumnNames, FramePlans}
import org.apache.spark.sql.types.StringType

import org.sparkdl.application.{ModelApplication, ProgramRow}

/** DataFrames with a model or a program on top of their plans. */
object ModelFrames {

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
  def append(
      df: DataFrame,
      application: ModelApplication,
      inputs: Seq[String],
      outputs: Seq[String],
      error: Option[String],
      origin: Option[String],
      rejected: Option[String] = None
  ): DataFrame = {
    Operator.install(FramePlans.sessionOf(df))
    val plan = FramePlans.planOf(df)
    // Of a stage, random numbers that a seed makes repeatable follow from the whole row.
    val key = if (application.repeatable) plan.output else Nil
    val call = checked(ModelCall(application, inputs.map(ColumnNames.resolve(df, _)) ++ key))
    val attributes = outputs.zip(application.outputs).map { case (name, o) =>
      AttributeReference(name, o.dataType, metadata = o.metadata)()
    }
    val reason = error.map(AttributeReference(_, StringType)())
    val node = EvalModel(
      call,
      rejected.map(ColumnNames.resolve(df, _)),
      origin.map(ColumnNames.resolvePath(df, _)),
      attributes,
      reason,
      plan.output,
      plan
    )
    FramePlans.frameOf(df, Project(plan.output ++ NewColumns.renew(attributes ++ reason), node))
  }

  /** The outputs of a program under these names, followed by all columns of the DataFrame. */
  def map(df: DataFrame, application: ModelApplication, inputs: Seq[String], outputs: Seq[String]): DataFrame = {
    val (plan, call) = program(df, application.asProgram, inputs)
    val attributes = NewColumns.ofProgram(application, outputs)
    val node = EvalModel(call, None, None, attributes, None, plan.output, plan, outputsFirst = true)
    FramePlans.frameOf(df, Project(NewColumns.renew(attributes) ++ plan.output, node))
  }

  /** The outputs of a program that is run once per block of the DataFrame, whatever number of rows they have. */
  def trim(df: DataFrame, application: ModelApplication, inputs: Seq[String], outputs: Seq[String]): DataFrame = {
    val alone = application.copy(program = Some(ProgramRow(0L, 0)))
    val (plan, call) = program(df, alone, inputs)
    val attributes = NewColumns.ofProgram(application, outputs)
    val node = TrimBlocks(call, attributes, Project(call.references.toSeq, plan))
    FramePlans.frameOf(df, Project(NewColumns.renew(attributes), node))
  }

  private def program(df: DataFrame, application: ModelApplication, inputs: Seq[String]): (LogicalPlan, ModelCall) = {
    Operator.install(FramePlans.sessionOf(df))
    val plan = FramePlans.planOf(df)
    (plan, checked(ModelCall(application, inputs.map(ColumnNames.find(df, plan, _)))))
  }

  /** The call, whose columns can be fed; throws SchemaMismatchException when they cannot. */
  private def checked(call: ModelCall): ModelCall = { call.feeds; call }
}
