package org.sparkdl.plan

import org.apache.spark.sql.catalyst.InternalRow

import org.sparkdl.engine.{EngineSettings, ShippedModel}
import org.sparkdl.tensor.CellReader

/** What an executor needs to run a model over the rows of a partition.
  *
  * @param feeds
  *   one per input
  * @param fetches
  *   names of tensors, distinct
  * @param readers
  *   for each output column, the index of its fetch and its reader
  * @param rejectedOrdinal
  *   ordinal, in the rows of inputs, of a string that is not null for a row that is invalid already: its reason; -1
  *   when there is none
  * @param originOrdinal
  *   ordinal, in the rows of inputs, of a string that tells where the row came from; -1 when there is none
  * @param emitError
  *   append the reason of invalid rows as a last column
  */
final case class BatchTask(
    modelName: String,
    shipped: ShippedModel,
    precision: String,
    engine: EngineSettings,
    capacity: Int,
    fixedBatch: Boolean,
    inputNames: Seq[String],
    inputTensors: Seq[String],
    feeds: Seq[InputFeed],
    fetches: Seq[String],
    readers: Seq[(Int, CellReader)],
    handleInvalid: HandleInvalid,
    nullIsNull: Boolean,
    rejectedOrdinal: Int,
    originOrdinal: Int,
    emitError: Boolean
)

/** Counts and times of the operator, in nanoseconds where they are times. */
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

/** A row on its way through the operator: what is carried along, and its inputs. Rows are not retained by the source.
  */
trait RowSource {

  /** Moves to the next row; false at the end. */
  def advance(): Boolean

  /** The inputs of the current row. */
  def inputs: InternalRow

  /** A copy of what is carried along of the current row. */
  def carried(): InternalRow
}
