package org.sparkdl.ml

import org.apache.spark.ml.Transformer
import org.apache.spark.ml.param.{Param, ParamMap}
import org.apache.spark.ml.util.DefaultParamsWritable
import org.apache.spark.sql.{DataFrame, Dataset, SparkSession}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.sparkdl.Bridge
import org.apache.spark.sql.types.{BinaryType, DataType, StringType, StructField, StructType}

import org.sparkdl.{Model, Settings}
import org.sparkdl.engine.EngineSettings
import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException, SparkDLException}
import org.sparkdl.model.{ModelCache, ModelDefinition}
import org.sparkdl.plan.{HandleInvalid, InputFeed, ModelApplication, OutputColumn}

/** A stage that appends one output of an image model to a DataFrame.
  *
  * It checks params and schema and builds an immutable plan; the operator does the rest, when a job runs.
  */
abstract class ImageStage extends Transformer with ImageStageParams with DefaultParamsWritable {

  /** Type of the output column, known without the model. */
  protected def outputType: DataType

  /** The output of the model that the stage gives, and its form. */
  private[ml] def output(model: ModelDefinition, session: SparkSession): OutputColumn

  /** The model as `write` saves it. */
  private[ml] def savedModel(session: SparkSession): ModelDefinition = findModel(session)

  override def copy(extra: ParamMap): ImageStage = defaultCopy(extra)

  override def transformSchema(schema: StructType): StructType = {
    val names = Columns(schema, s"${getClass.getSimpleName} '$uid'")
    names.requireImages(required(inputCol))
    names.requireNew("outputCol", required(outputCol))
    reasons.foreach(names.requireNew("errorCol", _))
    if (reasons.exists(names.same(_, $(outputCol))))
      throw new SchemaMismatchException(s"${names.stage}: outputCol and errorCol are both '${$(outputCol)}'.")
    StructType(
      schema.fields ++ Seq(StructField($(outputCol), outputType)) ++ reasons.map(StructField(_, StringType))
    )
  }

  override def transform(dataset: Dataset[_]): DataFrame = {
    transformSchema(dataset.schema, logging = true)
    val df = dataset.toDF()
    val origin = Columns(df.schema, uid).origin($(inputCol))
    Bridge.appended(df, application(df.sparkSession), Seq($(inputCol)), Seq($(outputCol)), reasons, origin)
  }

  /** Whether a model is named; a stage without one can be saved, but not used. */
  private[ml] def hasModel: Boolean = isSet(modelName) || isSet(weights)

  private[ml] def findModel(session: SparkSession): ModelDefinition = {
    val directory = get(modelDir).filter(_.nonEmpty).getOrElse(Model.settings(session).modelsDir)
    val hadoop = session.sparkContext.hadoopConfiguration
    new ModelCache(directory, hadoop).find(get(modelName), $(weights))
  }

  private def application(session: SparkSession): ModelApplication = {
    val settings: Settings.Reader = Model.settings(session)
    val model = findModel(session)
    val image = model.image.filter(_ => model.inputs.size == 1).getOrElse(throw noImages(model))
    ModelApplication(
      model = model,
      inputs = Seq(model.input(image.input)),
      outputs = Seq(output(model, session)),
      batchSize = get(batchSize).getOrElse(settings.batchSize),
      precision = get(precision).getOrElse(settings.precision),
      handleInvalid = HandleInvalid.fromName($(handleInvalid)),
      scaleHint = $(scaleHint),
      maxPixels = settings.imageMaxPixels,
      engine = EngineSettings.of(settings)
    )
  }

  private def noImages(model: ModelDefinition) = new InvalidModelException(
    s"The bundle of '${model.name}' takes no images: expected one input and an 'image' entry in its model.json, got " +
      s"${model.inputs.mkString("; ")}. Make it with sparkdl.save_bundle(..., image=True), or use Model.load."
  )

  private def reasons: Option[String] = get(errorCol).filter(_.nonEmpty)

  private def required(param: Param[String]): String = get(param)
    .filter(_.nonEmpty)
    .getOrElse(throw new SparkDLException(s"${getClass.getSimpleName} '$uid': ${param.name} is not set."))
}

/** The columns of a schema, with Spark's rule for upper and lower case. */
private case class Columns(schema: StructType, stage: String) {

  def same(a: String, b: String): Boolean = SQLConf.get.resolver(a, b)

  def find(name: String): Option[StructField] = schema.fields.find(f => same(f.name, name))

  def requireImages(name: String): Unit = find(name) match {
    case None =>
      throw new SchemaMismatchException(
        s"$stage: there is no column '$name'. The DataFrame has: ${schema.fieldNames.mkString(", ")}."
      )
    case Some(field) if !InputFeed.isImage(field.dataType) =>
      throw new SchemaMismatchException(
        s"$stage: cannot take images from column '$name': expected Spark's image struct or encoded bytes (binary), got " +
          s"${field.dataType.simpleString}. sparkdl.readImages and spark.read.format(\"binaryFile\") give such columns."
      )
    case _ =>
  }

  def requireNew(param: String, name: String): Unit = if (find(name).isDefined)
    throw new SchemaMismatchException(
      s"$stage: the DataFrame has a column '$name' already; set $param to another name, or drop the column."
    )

  /** The column that tells where a row came from. */
  def origin(images: String): Option[String] = find(images).map(_.dataType) match {
    case Some(BinaryType) => find("path").filter(_.dataType == StringType).map(f => quoted(f.name))
    case _                => Some(s"${quoted(images)}.origin")
  }

  private def quoted(name: String): String = s"`${name.replace("`", "``")}`"
}
