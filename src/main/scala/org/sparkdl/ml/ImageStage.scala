package org.sparkdl.ml

import org.apache.spark.ml.linalg.SQLDataTypes.VectorType
import org.apache.spark.ml.param.Param
import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.types.DataType

import org.sparkdl.Sessions
import org.sparkdl.application.OutputColumn
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.model.{ModelCache, ModelDefinition}
import org.sparkdl.runtime.NativeRuntime
import org.sparkdl.tensor.TensorSpec

/** A stage that appends one output of a network known by name to a DataFrame of images. */
abstract class ImageStage extends ModelStage with ImageStageParams {

  /** Type of the output column, known without the model. */
  protected def outputType: DataType = if (asArray) FloatsReader.dataType else VectorType

  /** The output in the form that outputMode says. */
  protected def formed(spec: TensorSpec): OutputColumn =
    if (asArray) OutputColumn(spec, FloatsReader(spec.dtype)) else OutputColumn.vector(spec)

  private def asArray = $(outputMode) == ImageStageParams.Array

  /** The output of the model that the stage appends, and its form. */
  private[ml] def output(model: ModelDefinition, session: SparkSession): OutputColumn

  override private[ml] def modelParam: Param[String] = weights
  override private[ml] def hasModel: Boolean = isSet(modelName) || isSet(weights)

  override protected def newColumns(columns: Columns): Seq[NewColumn] = {
    columns.requireImages(required(inputCol))
    Seq(NewColumn("outputCol", required(outputCol), outputType))
  }

  override private[ml] def findModel(session: SparkSession): ModelDefinition = {
    val settings = Sessions.settingsOf(session)
    val directory = get(modelDir).filter(_.nonEmpty).getOrElse(settings.modelsDir)
    val hadoop = session.sparkContext.hadoopConfiguration
    new ModelCache(directory, hadoop, NativeRuntime.of(settings))
      .find(get(modelName), $(weights), get(inputSize).map(s => (s(0), s(1))))
  }

  override private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall = {
    val image = model.image.filter(_ => model.inputs.size == 1).getOrElse(throw noImages(model))
    val appended = output(model, session)
    StageCall(model, Seq($(inputCol) -> model.input(image.input)), Seq($(outputCol) -> appended), $(scaleHint))
  }

  private def noImages(model: ModelDefinition) = new InvalidModelException(
    s"The bundle of '${model.name}' takes no images: expected one input and an 'image' entry in its model.json, got " +
      s"${model.inputs.mkString("; ")}. Make it with sparkdl.save_bundle(..., image=True), or use Model.load."
  )
}
