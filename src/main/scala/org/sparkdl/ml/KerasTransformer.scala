package org.sparkdl.ml

import org.apache.spark.ml.param.{Param, StringArrayParam}
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** Applies a Keras model to columns.
  *
  * Input: a column per input of the model, in the order of its inputs, of a type that its dtype takes (docs/sql.md
  * has the table): numbers, strings (text), arrays, MLlib vectors. Output: a column per output, in the order of its
  * outputs. Null only with handleInvalid "keep".
  *
  * Cost: as of [[TFTransformer]].
  *
  * {{{
  * new KerasTransformer().setInputCol("features").setOutputCol("score").setModelFile("/models/scores").transform(df)
  * }}}
  */
class KerasTransformer(override val uid: String) extends TensorStage with HasOutputCol {
  def this() = this(Identifiable.randomUID("kerasTransformer"))

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
  def setModelFile(value: String): this.type = set(modelFile, value)

  def getInputCol: String = $(inputCol)
  def setInputCol(value: String): this.type = set(inputCol, value)

  def getInputCols: Array[String] = $(inputCols)
  def setInputCols(value: Array[String]): this.type = set(inputCols, value)

  def getOutputCols: Array[String] = $(outputCols)
  def setOutputCols(value: Array[String]): this.type = set(outputCols, value)

  override private[ml] def modelParam: Param[String] = modelFile
  override protected def outputParam: String = if (isSet(outputCols)) outputCols.name else outputCol.name

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

  // Java takes this.type for the class that declares a method; these let it chain.
  override def setOutputCol(value: String): this.type = super.setOutputCol(value)
  override def setOutputMode(value: String): this.type = super.setOutputMode(value)
  override def setBatchSize(value: Int): this.type = super.setBatchSize(value)
  override def setPrecision(value: String): this.type = super.setPrecision(value)
  override def setHandleInvalid(value: String): this.type = super.setHandleInvalid(value)
  override def setErrorCol(value: String): this.type = super.setErrorCol(value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object KerasTransformer extends DefaultParamsReadable[KerasTransformer] {
  override def read: MLReader[KerasTransformer] = new StageReader(super.read)
  override def load(path: String): KerasTransformer = super.load(path)
}
