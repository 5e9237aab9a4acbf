package org.sparkdl

import scala.annotation.varargs

import org.apache.spark.sql.{Column, DataFrame, SparkSession}
import org.apache.spark.sql.execution.python.UserDefinedPythonFunction
import org.apache.spark.sql.sparkdl.functions.{ModelColumns, ModelFunctions}
import org.apache.spark.sql.sparkdl.nodes.ModelFrames

import org.sparkdl.application.{ApplicationChecks, HandleInvalid, ModelApplication, OutputColumn, StructFields}
import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.files.{LocalFiles, Place, RemoteFiles}
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.{Bundle, ModelDefinition, ModelReader, ReadOptions, UnfedPlaceholders}
import org.sparkdl.runtime.NativeRuntime
import org.sparkdl.tensor.TensorSpec

/** A TensorFlow model to apply to columns.
  *
  * {{{
  * val model = Model.load("/models/scores")
  * df.select(model(col("features")) as "score")
  * model.register(spark, "score")              // SELECT score(features) FROM ...
  * }}}
  *
  * Immutable; the `with...` methods return changed copies. The model is loaded once per executor, when a job first
  * needs it, and runs batch by batch wherever it stands in a query.
  */
final class Model private[sparkdl] (
    private[sparkdl] val definition: ModelDefinition,
    private[sparkdl] val options: ModelOptions
) {

  /** The name in the bundle, or the file's. */
  def name: String = definition.name

  /** SHA-256 of the graph; models with equal hashes are loaded once by the engine. */
  def hash: String = definition.graph.hash

  /** The inputs, in the order in which `apply` takes columns. */
  def inputs: Seq[TensorSpec] = definition.inputs

  /** The outputs that `apply` returns. */
  def outputs: Seq[TensorSpec] = options.outputs.fold(definition.outputs)(_.map(definition.output))

  /** A description for people: where it came from, inputs, outputs. */
  def describe(): String = definition.describe

  /** Keeps only these outputs, in this order. */
  @varargs def select(outputs: String*): Model = {
    outputs.foreach(definition.output)
    copy(options.copy(outputs = Some(outputs)))
  }

  /** Rows per run, instead of `spark.sparkdl.batchSize`. */
  def withBatchSize(rows: Int): Model = {
    if (rows < 1) throw new SparkDLException(s"batchSize must be at least 1, got $rows.")
    copy(options.copy(batchSize = Some(rows)))
  }

  /** "float32" or "bfloat16", instead of `spark.sparkdl.precision`. */
  def withPrecision(precision: String): Model = {
    if (!Settings.precisions.contains(precision))
      throw new SparkDLException(
        s"Unknown precision '$precision'. Expected one of: ${Settings.precisions.mkString(", ")}."
      )
    copy(options.copy(precision = Some(precision)))
  }

  /** "error" (default), "keep" (null outputs), or, in `appendTo` only, "skip". */
  def withHandleInvalid(policy: String): Model = copy(options.copy(handleInvalid = HandleInvalid.fromName(policy)))

  /** How images are resized: one of [[org.sparkdl.image.ScaleHint]]'s names. */
  def withScaleHint(hint: String): Model = copy(options.copy(scaleHint = ScaleHint.fromName(hint).name))

  /** Makes the random numbers that a model draws (in a sampling layer, or by dropout at inference) repeatable: those
    * of a row follow from the seed and the row alone, whatever the partitions and the batches. Without a seed they
    * are new in every run.
    *
    * The row is, in `appendTo`, all columns of the DataFrame; in `apply` and in SQL the inputs, so that rows with
    * equal inputs get equal numbers, unless columns that tell them apart follow the inputs:
    * `model(col("x"), col("id"))`. Each row is then run alone, which takes longer. A model that draws nothing is run
    * as without a seed.
    */
  def withSeed(seed: Long): Model = copy(options.copy(seed = Some(seed)))

  /** Returns each output as one array, row-major, instead of arrays nested as deep as the output has dimensions. */
  def flattened: Model = copy(options.copy(flat = true))

  /** The model applied to columns, one per input in the order of `inputs`, or one struct whose fields have the names
    * of the inputs: the output, or a struct of several.
    *
    * A null in an input gives null, as SQL functions do. The types are checked when the query is analysed.
    */
  @varargs def apply(columns: Column*): Column = ModelColumns.of(expressionApplication(Sessions.current), columns)

  /** Registers the model as a SQL function of the session, as `ModelUDF` does. */
  def register(session: SparkSession, function: String): Unit = register(session, function, Map.empty, None)

  /** @param fields
    *   from the name of an input to the name of the field of a struct that feeds it
    * @param preprocessor
    *   a Python function that the arguments go through first
    */
  private[sparkdl] def register(
      session: SparkSession,
      function: String,
      fields: Map[String, String],
      preprocessor: Option[UserDefinedPythonFunction]
  ): Unit = {
    fields.keys.foreach(definition.input)
    val arguments = preprocessor.fold(inputs.mkString(", "))(p => s"image for ${p.name}")
    val usage = s"$function($arguments) - Applies ${describe()}"
    ModelFunctions.register(session, function, expressionApplication(session), fields, preprocessor, usage)
  }

  /** The DataFrame with the outputs appended.
    *
    * @param inputCols
    *   a column per input, in the order of `inputs`, or one struct whose fields have their names
    * @param outputCols
    *   a new column per output, in the order of `outputs`
    * @param errorCol
    *   a new column for the reasons of invalid rows, with handleInvalid "keep"
    */
  def appendTo(
      df: DataFrame,
      inputCols: Seq[String],
      outputCols: Seq[String],
      errorCol: Option[String] = None
  ): DataFrame = {
    if (outputCols.size != outputs.size)
      throw new SchemaMismatchException(
        s"Model '$name' has ${outputs.size} output(s) (${outputs.map(_.name).mkString(", ")}), got names for ${outputCols.size}."
      )
    ModelFrames.append(df, checkedApplication(df.sparkSession), inputsIn(df, inputCols), outputCols, errorCol, None)
  }

  /** The columns that feed the inputs: the fields of a struct that is the only one. */
  private def inputsIn(df: DataFrame, columns: Seq[String]): Seq[String] = columns match {
    case Seq(column) =>
      val remedy = "Give a column or field per input."
      StructFields.paths(s"Model '$name'", definition, inputs, df.schema, column, remedy).fold(columns)(_.map(_._1))
    case _ => columns
  }

  /** Writes the model as a bundle into a new directory on any of Hadoop's file systems, completely or not at all. */
  def save(path: String): Unit = {
    val hadoop = Sessions.current.sparkContext.hadoopConfiguration
    val place = Place.of(path)
    val target = place.target(hadoop)
    place.attempt {
      if (target.getFileSystem(hadoop).exists(target))
        throw new SparkDLException(s"'$path' exists already; remove it or give another path.")
      LocalFiles.withTemporaryDirectory("sparkdl-bundle-") { folder =>
        Bundle.write(definition, folder)
        RemoteFiles.store(folder, target, hadoop)
      }
    }
  }

  override def toString: String = describe()

  private def copy(options: ModelOptions) = new Model(definition, options)

  /** In an expression there are no rows to skip. */
  private[sparkdl] def expressionApplication(session: SparkSession): ModelApplication = {
    if (options.handleInvalid == HandleInvalid.Skip)
      throw new SparkDLException(
        "handleInvalid 'skip' cannot be used in a column or SQL function, which must give a value for each row: use " +
          "'keep' and filter the nulls, or a stage, or Model.appendTo."
      )
    checkedApplication(session).copy(nullIsNull = true)
  }

  private def checkedApplication(session: SparkSession) = ApplicationChecks.checked(application(session))

  private[sparkdl] def application(session: SparkSession): ModelApplication = {
    // Before the form of the outputs is chosen: their shapes may be unknown if a placeholder lacks a value.
    UnfedPlaceholders.check(definition, definition.inputs, outputs)
    ModelApplication.of(
      Sessions.settingsOf(session),
      definition,
      definition.inputs,
      outputs.map(o => if (options.flat) OutputColumn.flat(o) else OutputColumn.nested(definition, o)),
      options.handleInvalid,
      options.batchSize,
      options.precision,
      options.scaleHint,
      options.seed
    )
  }
}

/** How a user wants a model to be applied. */
final private[sparkdl] case class ModelOptions(
    outputs: Option[Seq[String]] = None,
    batchSize: Option[Int] = None,
    precision: Option[String] = None,
    handleInvalid: HandleInvalid = HandleInvalid.Error,
    scaleHint: String = ScaleHint.AreaAveraging.name,
    flat: Boolean = false,
    seed: Option[Long] = None
)

object Model {

  /** Reads a model: a bundle directory or a zip of it, a SavedModel directory (its "serving_default" signature), or a
    * frozen graph (.pb; inputs are its placeholders, outputs what nothing consumes). Any Hadoop path.
    */
  def load(path: String): Model = load(path, ReadOptions())

  private[sparkdl] def load(session: SparkSession, path: String): Model = load(session, path, ReadOptions())

  /** Reads a model with a chosen signature or tensors, and with constants for what no column feeds. */
  def load(path: String, options: ReadOptions): Model = load(Sessions.current, path, options)

  private[sparkdl] def load(session: SparkSession, path: String, options: ReadOptions): Model = {
    val runtime = NativeRuntime.of(Sessions.settingsOf(session))
    runtime.load()
    new Model(ModelReader.read(path, session.sparkContext.hadoopConfiguration, runtime, options), ModelOptions())
  }
}
