package org.sparkdl.ml

import org.apache.spark.ml.param.{Param, StringArrayParam}

import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** A stage that pairs columns with a model's inputs and outputs by their order, as Keras numbers them. */
trait KerasStage extends TensorStage with HasOutputCol with HasPredictions {

  final val modelFile: Param[String] = new Param(
    this,
    "modelFile",
    "The model: path of a bundle, of a SavedModel directory, or of a frozen graph (.pb); in Python also of a file of " +
      "Keras (.keras, .h5), which becomes a bundle."
  )

  final val inputCol: Param[String] = new Param(
    this,
    "inputCol",
    "Name of the column that feeds the only input; or of a struct, whose fields feed the inputs of their names."
  )

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
  override protected def outputParam(column: String): String = namedPredictions
    .find($(_) == column)
    .getOrElse(if (isSet(outputCols)) outputCols else outputCol)
    .name

  override protected def inputsOf(model: ModelDefinition, columns: Columns): Seq[(String, TensorSpec)] = {
    if (isSet(inputCols) && isSet(inputCol))
      throw new SparkDLException(s"$label: inputCol and inputCols are both set; set one of them.")
    val names = if (isSet(inputCols)) $(inputCols).toSeq else Seq(required(inputCol))
    names.foreach(columns.existing)
    val fields = names match {
      case Seq(name) => fieldsOf(name, model, columns, "Set inputCols to one column or field per input.")
      case _         => None
    }
    fields.getOrElse(paired("input", names, model, model.inputs))
  }

  override protected def outputsOf(model: ModelDefinition): Seq[(String, TensorSpec)] = {
    if (isSet(outputCols) && isSet(outputCol))
      throw new SparkDLException(s"$label: outputCol and outputCols are both set; set one of them.")
    if (!isSet(outputCols) && !isSet(outputCol) && namedPredictions.nonEmpty) Nil
    else {
      val names = if (isSet(outputCols)) $(outputCols).toSeq else Seq(required(outputCol))
      paired("output", names, model, model.outputs)
    }
  }

  override private[ml] def predictionsOf(model: ModelDefinition): Seq[(String, OutputColumn)] =
    if (namedPredictions.isEmpty) Nil
    else {
      val made = new Predictions(label, model, predicted(model), get(thresholds).map(_.toSeq))
      namedPredictions.map(param => $(param) -> made.column(param.name, $(param)))
    }

  private def predicted(model: ModelDefinition): TensorSpec =
    get(predictionOutput).filter(_.nonEmpty).map(TensorNames.find(model.name, "output", model.outputs, _)).getOrElse {
      if (model.outputs.size > 1)
        throw new SchemaMismatchException(
          s"$label: model '${model.name}' has ${model.outputs.size} outputs (${model.outputs.mkString("; ")}), and predictions " +
            s"are made of one: set ${predictionOutput.name} to its name."
        )
      model.outputs.head
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
