package org.sparkdl.application

import org.apache.spark.sql.types.{DataType, StructField, StructType}

import org.sparkdl.Settings
import org.sparkdl.engine.{EngineSettings, ExecutorMemory}
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ScaleHint
import org.sparkdl.model.ModelDefinition
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.{InputFeed, TensorSpec}

/** Everything about applying a model except the columns: what an expression or a stage hands to the operator.
  *
  * Immutable. It stays on the driver; `rows.BatchTask` is what travels.
  *
  * @param inputs
  *   the inputs that the columns feed, in the order of the columns
  * @param batchSize
  *   rows per run; 0 = 8 images, 4 on small executors, else by the size of a row
  * @param scaleHint
  *   how images are resized
  * @param block
  *   what a block is, for programs whose rows depend on the other rows of their block
  * @param program
  *   the size of a row's outputs when this is a user's program and not a model, see [[asProgram]]
  * @param seed
  *   makes the random numbers that a model draws repeatable
  */
final case class ModelApplication(
    model: ModelDefinition,
    inputs: Seq[TensorSpec],
    outputs: Seq[OutputColumn],
    batchSize: Int,
    precision: String,
    handleInvalid: HandleInvalid,
    scaleHint: String,
    maxPixels: Long,
    engine: EngineSettings,
    nullIsNull: Boolean = false,
    block: Option[BlockSize] = None,
    program: Option[ProgramRow] = None,
    seed: Option[Long] = None
) {

  /** How the model's random numbers are fed. */
  def random: Option[RandomFeed] = model.random.flatMap(_.seed).map(RandomFeed(_, seed))

  /** Whether the random numbers of a row follow from the row and the seed. */
  def repeatable: Boolean = seed.isDefined && random.isDefined

  /** Whether two runs on equal rows may differ, which has to be assumed of a user's program. */
  def mayDraw: Boolean = program.isDefined || model.random.exists(d => seed.isEmpty || d.unseeded.nonEmpty)

  /** The same application as one of a user's program: messages call it a program, and the size of its blocks does not
    * depend on which outputs the optimizer drops later.
    */
  def asProgram: ModelApplication = {
    val bytes = outputs.map(o => bytesOf(o.spec))
    copy(program = Some(ProgramRow(bytes.flatten.sum, bytes.count(_.isEmpty))))
  }

  /** The type of the expression: the output's, or a struct when there are several. */
  def dataType: DataType =
    if (outputs.size == 1) outputs.head.dataType
    else StructType(outputs.map(o => StructField(o.spec.name, o.dataType)))

  /** How columns of these names and types are fed; throws SchemaMismatchException when they cannot be. */
  def feeds(columns: Seq[(String, DataType)]): Seq[InputFeed] = {
    SeedCheck.check(this)
    if (columns.size != inputs.size)
      throw new SchemaMismatchException(
        s"Model '${model.name}' has ${inputs.size} input(s) (${inputs.mkString("; ")}), got ${columns.size} column(s). " +
          "Each input needs a column, or, if it is the same for all rows, a value when the model is loaded (constants)."
      )
    inputs.zip(columns).map { case (spec, (name, from)) =>
      Feeds.of(model, spec, name, from, scaleHint, maxPixels)
    }
  }

  /** The number of rows of a run: the graph's, where the graph fixes one.
    *
    * @param executor
    *   where it runs; None in local mode
    */
  def rowsPerRun(executor: Option[ExecutorMemory]): Int = inputs.flatMap(_.fixedBatch).headOption.getOrElse {
    if (batchSize > 0) batchSize
    else if (inputs.exists(model.imageOf(_).isDefined)) ModelApplication.imagesPerRun(executor)
    else ModelApplication.rowsFor(bytesPerRow)
  }

  /** Whether the rows of a run are the user's or the graph's choice. */
  def rowsGiven: Boolean = batchSize > 0 || inputs.exists(_.fixedBatch.isDefined)

  /** Bytes of a row's inputs and outputs, as far as the graph tells; None when it leaves those of an input open. */
  private def bytesPerRow: Option[Long] = {
    val in = inputs.map(bytesOf)
    if (in.exists(_.isEmpty)) None else Some((in ++ outputs.map(o => bytesOf(o.spec))).flatten.sum)
  }

  private def bytesOf(spec: TensorSpec): Option[Long] =
    if (spec.dtype == DType.Str) None else spec.cell.filter(!_.exists(_ < 0)).map(_.product * spec.dtype.size)
}

/** The size of one row's outputs of a program.
  *
  * @param bytes
  *   of those outputs whose size the graph tells
  * @param unknown
  *   number of other outputs: each is assumed to be as large as the row's inputs
  */
final case class ProgramRow(bytes: Long, unknown: Int)

object ModelApplication {

  /** An application with the session's settings, except for what the caller sets.
    *
    * @param batchSize
    *   rows per run, instead of the session's
    * @param precision
    *   "float32" or "bfloat16", instead of the session's
    */
  def of(
      settings: Settings.Reader,
      model: ModelDefinition,
      inputs: Seq[TensorSpec],
      outputs: Seq[OutputColumn],
      handleInvalid: HandleInvalid,
      batchSize: Option[Int] = None,
      precision: Option[String] = None,
      scaleHint: String = ScaleHint.AreaAveraging.name,
      seed: Option[Long] = None
  ): ModelApplication = ModelApplication(
    model,
    inputs,
    outputs,
    batchSize.getOrElse(settings.batchSize),
    precision.getOrElse(settings.precision),
    handleInvalid,
    scaleHint,
    settings.imageMaxPixels,
    EngineSettings.of(settings),
    seed = seed
  )

  /** Each task slot runs its own batch, so large batches push each other's activations out of the caches, and hold
    * much memory. With two slots on two cores, 8 images instead of 32 made MobileNetV2 10 to 15 % faster and ResNet50
    * no slower, with 0.6 and 0.4 GB less memory, and the first result comes earlier.
    */
  val ImagesPerRun = 8

  /** On a small executor. VGG16 takes 0.1 GB less than with 8, no longer, and gives every bit of the same results. */
  val ImagesPerSmallRun = 4

  private def imagesPerRun(executor: Option[ExecutorMemory]): Int =
    if (executor.exists(_.isSmall)) ImagesPerSmallRun else ImagesPerRun

  /** Small rows: the cost of a call, about 20 microseconds, has to be spread over many; large rows have large
    * activations. So a batch has about 64 KiB of inputs and outputs. docs/performance.md has the measurements.
    */
  private[sparkdl] def rowsFor(bytesPerRow: Option[Long]): Int = bytesPerRow
    .map(b => BatchBytes / math.max(b, 1))
    .fold(FewestRows)(_.max(FewestRows.toLong).min(MostRows.toLong).toInt)

  private val BatchBytes = 64L * 1024
  private val FewestRows = 32
  private[sparkdl] val MostRows = 1024
}
