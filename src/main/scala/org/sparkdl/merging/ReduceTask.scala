package org.sparkdl.merging

import org.apache.spark.sql.types.DataType

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.engine.{EngineSettings, ShippedModel}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.runtime.Closeables
import org.sparkdl.tensor.{CellBuffer, CellReader, ColumnTypes, TensorSpec}

/** What an executor needs to merge rows.
  *
  * @param columns
  *   one per column that is merged
  * @param step
  *   the models, in the order of `ReduceStep.models`
  * @param mostRows
  *   of one merge
  * @param mergeBytes
  *   of the rows of one merge, if they are more than two
  * @param waitingBytes
  *   of rows and keys that wait for a merge
  */
final case class ReduceTask(
    name: String,
    columns: Seq[ReduceColumn],
    step: MergeStep,
    precision: String,
    engine: EngineSettings,
    mostRows: Int,
    mergeBytes: Long,
    waitingBytes: Long,
    handleInvalid: HandleInvalid
) {
  private[merging] def buffers: Array[CellBuffer] = Closeables.made(columns) { c =>
    if (step.ragged) new RaggedCells(engine.runtime, c.spec, c.from)
    else CellBuffer.of(engine.runtime, c.spec, c.from)
  }
}

/** A column that is merged.
  *
  * @param name
  *   the name in messages
  * @param spec
  *   `[rows] + cell`
  * @param from
  *   the type of the rows' column
  * @param reader
  *   turns results into values
  */
final case class ReduceColumn(name: String, spec: TensorSpec, from: DataType, reader: CellReader)

/** A model of a merge on its way to the executors. */
final case class MergeModel(shipped: ShippedModel, inputs: Seq[TensorSpec], outputs: Seq[TensorSpec]) {

  /** For each output the index of its tensor in what a run gives. */
  val fetchIndices: Seq[Int] = {
    val tensors = outputs.map(_.tensor)
    tensors.map(tensors.distinct.indexOf(_))
  }
}

/** [[ReduceStep]] on its way to the executors. */
sealed trait MergeStep extends Serializable {

  /** Whether cells may differ in shape from row to row. */
  def ragged: Boolean = false

  /** How many rows the graph takes. */
  def mostRows: Int = Int.MaxValue
}

object MergeStep {
  final case class ShippedBlocks(one: MergeModel, many: Option[MergeModel]) extends MergeStep
  final case class ShippedPairs(model: MergeModel, oneByOne: Boolean) extends MergeStep {
    override def ragged: Boolean = oneByOne
    override def mostRows: Int = 2
  }
}

object ReduceTask {

  /** The task for rows of these types.
    *
    * @param names
    *   of the columns, for messages
    * @param partial
    *   whether the rows are original ones and not results of merges
    */
  def of(
      reduction: Reduction,
      names: Seq[String],
      from: Seq[DataType],
      partial: Boolean,
      ship: ModelDefinition => ShippedModel
  ): ReduceTask = {
    def model(m: ModelDefinition) =
      MergeModel(ship(m), m.inputs, m.outputs)
    val step = reduction.step match {
      case ReduceStep.Blocks(one, many)      => MergeStep.ShippedBlocks(model(one), many.map(model))
      case ReduceStep.Pairs(pairs, oneByOne) => MergeStep.ShippedPairs(model(pairs), oneByOne)
    }
    val (rows, mergeBytes, waitingBytes) = reduction.block match {
      case BlockSize.Rows(n) => (math.max(n, 2), Long.MaxValue, WaitingBytes)
      case BlockSize.Memory(bytes) =>
        (Int.MaxValue, bytes, math.max(bytes, math.min(bytes * WaitingBlocks, WaitingBytes)))
      case BlockSize.Partition if partial => (Int.MaxValue, Long.MaxValue, Long.MaxValue)
      case BlockSize.Partition            => (Int.MaxValue, Long.MaxValue, WaitingBytes)
    }
    val columns = names.indices.map { i =>
      val spec = reduction.inputs(i)
      ReduceColumn(names(i), spec, from(i), resultOf(spec, from(i)))
    }
    ReduceTask(
      reduction.name,
      columns,
      step,
      reduction.precision,
      reduction.engine,
      math.min(rows, step.mostRows),
      mergeBytes,
      waitingBytes,
      // Partial results are valid: what does not fit there is a conflict between rows.
      if (partial) reduction.handleInvalid else HandleInvalid.Error
    )
  }

  /** A result has the type of a row of its input, because it is merged again. */
  def resultOf(spec: TensorSpec, from: DataType): CellReader =
    CellReader.nested(spec.dtype, spec.cell.fold(ColumnTypes.unnest(from)._2)(_.size))

  /** Bytes of rows and keys that may wait for a merge: enough for 100,000 keys to have several rows each. */
  private val WaitingBytes = 64L << 20

  /** How many blocks' bytes may wait, which is less for small blocks. */
  private val WaitingBlocks = 256L
}
