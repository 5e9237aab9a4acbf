package org.sparkdl.ml

import org.apache.spark.ml.param.{Param, StringArrayParam}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** A stage that pairs columns with a model's inputs and outputs by their order, as Keras numbers them. */
trait KerasStage extends TensorStage with HasOutputCol {

  final val modelFile: Param[String] = new Param(
    this,
    "modelFile",
    "The model: path of a bundle, of a SavedModel directory, or of a frozen graph (.pb); in Python also of a file of " +
      "Keras (.keras, .h5), which becomes a bundle."
  )

  final val inputCol: Param[String] = new Param(this, "inputCol", "Name of the column that feeds the only input.")

  final val inputCols: StringArrayParam = new StringArrayParam(
    this,
    "inputCols",
    "Names of the columns that feed the inputs, in the order of the model's inputs; instead of inputCol."
  )

  final val outputCols: StringArrayParam = new StringArrayParam(
    this,
    "outputCols",
    "Names of the new columns, one per output, in the order of the model's outputs; instead of outputCol."
  )

  def getModelFile: String = $(modelFile)
  def getInputCol: String = $(inputCol)
  def getInputCols: Array[String] = $(inputCols)
  def getOutputCols: Array[String] = $(outputCols)

  override private[ml] def modelParam: Param[String] = modelFile
  override protected def outputParam(column: String): String =
    if (isSet(outputCols)) outputCols.name else outputCol.name

  override protected def inputsOf(model: ModelDefinition): Seq[(String, TensorSpec)] = {
    if (isSet(inputCols) && isSet(inputCol))
      throw new SparkDLException(s"$label: inputCol and inputCols are both set; set one of them.")
    val names = if (isSet(inputCols)) $(inputCols).toSeq else Seq(required(inputCol))
    paired("input", names, model, model.inputs)
  }

  override protected def outputsOf(model: ModelDefinition): Seq[(String, TensorSpec)] = {
    if (isSet(outputCols) && isSet(outputCol))
      throw new SparkDLException(s"$label: outputCol and outputCols are both set; set one of them.")
    val names = if (isSet(outputCols)) $(outputCols).toSeq else Seq(required(outputCol))
    paired("output", names, model, model.outputs)
  }

  private def paired(kind: String, columns: Seq[String], model: ModelDefinition, specs: Seq[TensorSpec]) = {
    if (columns.size != specs.size)
      throw new SchemaMismatchException(
        s"$label: model '${model.name}' has ${specs.size} $kind(s) (${specs.mkString("; ")}), but ${columns.size} " +
          s"column(s) are named (${columns.mkString(", ")}). Set ${kind}Cols to one column per $kind, in this order."
      )
    columns.zip(specs)
  }
}
