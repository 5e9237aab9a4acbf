package org.sparkdl.ml

import org.apache.spark.ml.Transformer
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.DefaultParamsWritable
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.sql.sparkdl.nodes.ModelFrames
import org.apache.spark.sql.types.{DataType, Metadata, StringType, StructField, StructType}

import org.sparkdl.Sessions
import org.sparkdl.application.{ApplicationChecks, HandleInvalid, ModelApplication, OutputColumn}
import org.sparkdl.errors.SparkDLException
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** A stage that appends outputs of a model to a DataFrame.
  *
  * It checks params and schema and builds an immutable plan; the operator does the rest, when a job runs. A trait,
  * because what an estimator has fitted is also a `Model` of Spark ML, which is a class.
  */
trait ModelStage extends Transformer with ModelStageParams with DefaultParamsWritable {

  /** Checks the input columns and returns the new ones, as far as the schema and the model's signature tell: nothing
    * runs.
    */
  protected def newColumns(columns: Columns): Seq[NewColumn]

  /** Which columns feed which inputs of the model, and which outputs become columns. */
  private[ml] def call(model: ModelDefinition, columns: Columns, session: SparkSession): StageCall

  /** The model that the params name. */
  private[ml] def findModel(session: SparkSession): ModelDefinition

  /** The param that names the model; in a loaded stage it names the bundle that was saved. */
  private[ml] def modelParam: Param[String]

  /** Whether a model is named; a stage without one can be saved, but not used. */
  private[ml] def hasModel: Boolean = isSet(modelParam)

  /** The model as `write` saves it. */
  private[ml] def savedModel(session: SparkSession): ModelDefinition = findModel(session)

  override def copy(extra: ParamMap): ModelStage = defaultCopy(extra)

  override def transformSchema(schema: StructType): StructType =
    checkedSchema(schema, newColumns(Columns(schema, label)))

  /** The schema with the new columns, which must not be in it yet. */
  private[ml] def checkedSchema(schema: StructType, columns: Seq[NewColumn]): StructType = {
    val added = columns ++ errorColumn.map(NewColumn("errorCol", _, StringType))
    Columns(schema, label).requireNew(added)
    StructType(schema.fields ++ added.map(c => StructField(c.name, c.dataType, metadata = c.metadata)))
  }

  override def transform(dataset: Dataset[_]): DataFrame = {
    transformSchema(dataset.schema, logging = true)
    val df = dataset.toDF()
    append(df, call(findModel(df.sparkSession), Columns(df.schema, label), df.sparkSession))
  }

  /** The DataFrame with the outputs of `call` appended. */
  private[ml] def append(df: DataFrame, call: StageCall): DataFrame = {
    val inputs = call.inputs.map(_._1)
    ModelFrames.append(
      df,
      application(call, df.sparkSession),
      inputs,
      call.outputs.map(_._1),
      errorColumn,
      call.origin.orElse(Columns(df.schema, label).origin(inputs)),
      call.rejected
    )
  }

  /** How the operator is to run what `call` says. */
  private[ml] def application(call: StageCall, session: SparkSession): ModelApplication =
    ApplicationChecks.checked(
      ModelApplication.of(
        Sessions.settingsOf(session),
        call.model,
        call.inputs.map(_._2),
        call.outputs.map(_._2),
        HandleInvalid.fromName($(handleInvalid)),
        get(batchSize),
        get(precision),
        call.scaleHint,
        get(seed)
      )
    )

  protected def label: String = s"${getClass.getSimpleName} '$uid'"

  private def errorColumn: Option[String] = get(errorCol).filter(_.nonEmpty)

  protected def required(param: Param[String]): String = get(param)
    .orElse(getDefault(param))
    .filter(_.nonEmpty)
    .getOrElse(throw new SparkDLException(s"$label: ${param.name} is not set."))
}

/** A model, the columns that feed its inputs and the columns that its outputs become.
  *
  * @param origin
  *   a column that tells where a row came from, where the inputs do not say it themselves
  * @param rejected
  *   a column with the reason for rows that are invalid already, null for others
  */
final private[ml] case class StageCall(
    model: ModelDefinition,
    inputs: Seq[(String, TensorSpec)],
    outputs: Seq[(String, OutputColumn)],
    scaleHint: String,
    origin: Option[String] = None,
    rejected: Option[String] = None
)

/** A column that a stage adds, and the param that names it. */
final private[ml] case class NewColumn(
    param: String,
    name: String,
    dataType: DataType,
    metadata: Metadata = Metadata.empty
)
