package org.sparkdl.ml

import org.apache.spark.ml.linalg.SQLDataTypes.VectorType
import org.apache.spark.ml.param.Param
import org.apache.spark.sql.SparkSession

import org.sparkdl.application.{OutputColumn, StructFields}
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.{ModelDefinition, UnfedPlaceholders}
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** A stage that feeds columns of numbers, strings, arrays or vectors to any model and appends its outputs. */
trait TensorStage extends FileModelStage {

  final val outputMode: Param[String] = new Param(
    this,
    "outputMode",
    "Form of the new columns: array (numbers, or arrays nested as deep as a row's output has dimensions), vector (an MLlib " +
      "vector of the flattened, row-major output) or scalar (the number, of outputs of one number).",
    (value: String) => StageChecks.oneOf("outputMode", value, TensorStage.outputModes)
  )
  setDefault(outputMode -> TensorStage.Array)

  def getOutputMode: String = $(outputMode)

  /** The column that feeds each input. */
  protected def inputsOf(model: ModelDefinition, columns: Columns): Seq[(String, TensorSpec)]

  /** The fields that feed the inputs, if the column is a struct that feeds them by name. */
  protected def fieldsOf(
      column: String,
      model: ModelDefinition,
      columns: Columns,
      remedy: String
  ): Option[Seq[(String, TensorSpec)]] =
    StructFields.paths(s"$label: model '${model.name}'", model, model.inputs, columns.schema, column, remedy)

  /** The new column for each output that is wanted. */
  protected def outputsOf(model: ModelDefinition): Seq[(String, TensorSpec)]

  /** Further columns that are made of outputs. */
  private[ml] def predictionsOf(model: ModelDefinition): Seq[(String, OutputColumn)] = Nil

  override private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall = {
    val inputs = inputsOf(model, columns)
    val missing = model.inputs.filterNot(i => inputs.exists(_._2 == i))
    if (missing.nonEmpty)
      throw new SchemaMismatchException(
        s"$label: no column feeds ${missing.mkString("; ")} of model '${model.name}'; the columns are " +
          s"${inputs.map { case (c, i) => s"'$c' for '${i.name}'" }.mkString(", ")}. Each input needs a column, or, if it is the " +
          "same for all rows, a value in constants (of TFTransformer, Model.load or save_bundle)."
      )
    val wanted = outputsOf(model)
    // Before the form of the outputs is chosen: without a value their shapes may be unknown.
    UnfedPlaceholders.check(model, inputs.map(_._2), wanted.map(_._2))
    val outputs = wanted.map { case (name, spec) => name -> output(model, spec) } ++ predictionsOf(model)
    StageCall(model, inputs, outputs, ScaleHint.AreaAveraging.name)
  }

  private def output(model: ModelDefinition, spec: TensorSpec): OutputColumn =
    if ($(outputMode) == TensorStage.Array) OutputColumn.nested(model, spec)
    else if ($(outputMode) == TensorStage.Scalar) OutputColumn.scalar(model, spec)
    else if (spec.dtype == DType.Str)
      throw new SchemaMismatchException(
        s"$label: output '${spec.name}' of model '${model.name}' is ${spec.typeString}, which cannot become a " +
          s"${VectorType.simpleString}; set outputMode to '${TensorStage.Array}'."
      )
    else OutputColumn.vector(spec)
}

private[ml] object TensorStage {
  val Array = "array"
  val Scalar = "scalar"
  val outputModes: Seq[String] = Seq(Array, "vector", Scalar)
}
