package org.sparkdl.ml

import org.apache.spark.sql.SparkSession

import org.sparkdl.Sessions
import org.sparkdl.model.{KnownModels, ModelDefinition, ReadOptions}
import org.sparkdl.runtime.NativeRuntime

/** A stage whose model is a bundle, a SavedModel or a frozen graph at a path that a param names.
  *
  * The types of the new columns may depend on the model, so `transformSchema` reads the model's signature.
  */
trait FileModelStage extends ModelStage {

  /** The param that names this new column, for messages. */
  protected def outputParam(column: String): String

  /** What to read from a file that does not say so itself. */
  protected def readOptions: ReadOptions = ReadOptions()

  /** Refuses columns that are not of the type that the stage takes, whatever the model. */
  protected def checkInputs(columns: Columns): Unit = ()

  override private[ml] def findModel(session: SparkSession): ModelDefinition = modelAt(session, readOptions)

  /** The model that the param names, read with these options. */
  private[ml] def modelAt(session: SparkSession, options: ReadOptions): ModelDefinition = {
    val path = required(modelParam)
    val runtime = NativeRuntime.of(Sessions.settingsOf(session))
    runtime.load()
    KnownModels.read(path, session.sparkContext.hadoopConfiguration, runtime, options)
  }

  override protected def newColumns(columns: Columns): Seq[NewColumn] = {
    checkInputs(columns)
    val session = Sessions.current
    val stageCall = call(findModel(session), columns, session)
    application(stageCall, session).feeds(stageCall.inputs.map { case (c, _) => c -> columns.existing(c).dataType })
    stageCall.outputs.map { case (name, output) =>
      NewColumn(outputParam(name), name, output.dataType, output.metadata)
    }
  }
}
