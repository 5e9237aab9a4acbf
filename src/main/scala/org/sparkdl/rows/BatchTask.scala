package org.sparkdl.rows

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.application.{BlockSize, HandleInvalid, ProgramRow, RandomFeed}
import org.sparkdl.engine.{EngineSettings, ShippedModel}
import org.sparkdl.files.FileSource
import org.sparkdl.tensor.{CellReader, InputFeed, TensorSpec}

/** What an executor needs to run a model over the rows of a partition.
  *
  * @param capacity
  *   rows per run, unless there are blocks
  * @param rowsGiven
  *   whether the capacity is the user's or the graph's choice, not a guess
  * @param inputs
  *   what the columns feed
  * @param inputColumns
  *   names of the columns that feed the inputs
  * @param feeds
  *   one per input
  * @param files
  *   for feeds that read files
  * @param outputs
  *   of each output column, which may have a tensor in common
  * @param readers
  *   one per output column
  * @param emitError
  *   append the reason of invalid rows as a last column
  * @param program
  *   the size of a row's outputs, when it is a user's program and not a model
  * @param block
  *   which rows one run sees together, where they depend on each other
  * @param trimmed
  *   whether the outputs take the place of the rows instead of being appended to them
  * @param random
  *   how a model that draws random numbers is fed its seed
  */
final case class BatchTask(
    modelName: String,
    shipped: ShippedModel,
    precision: String,
    engine: EngineSettings,
    capacity: Int,
    rowsGiven: Boolean,
    fixedBatch: Boolean,
    inputs: Seq[TensorSpec],
    inputColumns: Seq[String],
    feeds: Seq[InputFeed],
    files: Option[FileSource],
    outputs: Seq[TensorSpec],
    readers: Seq[CellReader],
    handleInvalid: HandleInvalid,
    nullIsNull: Boolean,
    emitError: Boolean,
    program: Option[ProgramRow],
    block: Option[BlockSize],
    trimmed: Boolean,
    random: Option[RandomFeed]
) {

  /** What the inputs are called. */
  val inputNames: Seq[String] = inputs.map(_.name)

  /** The tensors that a run gives. */
  val fetches: Seq[String] = outputs.map(_.tensor).distinct

  /** Whether each row is run alone, with random numbers that follow from its key. */
  val rowByRow: Boolean = random.exists(_.seed.isDefined)
}

/** Counts and times (in nanoseconds) of the operator. */
trait BatchMetrics extends Serializable {
  def rows(n: Long): Unit
  def rejected(n: Long): Unit
  def batches(n: Long): Unit
  def modelLoads(n: Long): Unit
  def feedTime(nanos: Long): Unit
  def loadTime(nanos: Long): Unit
  def runTime(nanos: Long): Unit
  def readTime(nanos: Long): Unit
}

/** The rows on their way through the operator, one at a time: carried columns and inputs. The source does not retain
  * them.
  */
trait RowSource {

  /** Moves to the next row; false at the end. */
  def advance(): Boolean

  /** A row with the inputs of the current row; input `i` is at `ordinals(i)`. */
  def inputs: InternalRow

  /** Where the inputs are. */
  def ordinals: Array[Int]

  /** Why the current row is invalid already; null when it is not. */
  def rejected: String

  /** Where the current row came from, if that is known. */
  def origin: Option[String]

  /** What distinguishes the current row from others, where random numbers follow from it. */
  def key: Long

  /** A copy of the current row's carried columns. */
  def carried(): InternalRow
}
