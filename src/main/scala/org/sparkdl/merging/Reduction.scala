package org.sparkdl.merging

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.engine.EngineSettings
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** How rows are merged into one. Column `i` of what is merged feeds input `i` and is output `i`.
  *
  * Merges are associative; rows are merged in their order, so they need not be commutative. One row is its own
  * result.
  *
  * @param columns
  *   names of what is merged, and of the results
  * @param block
  *   how many rows are merged at once
  */
final case class Reduction(
    columns: Seq[String],
    step: ReduceStep,
    block: BlockSize,
    precision: String,
    handleInvalid: HandleInvalid,
    engine: EngineSettings
) {

  /** The name for people. */
  def name: String = step.models.head.name

  /** What the columns are fed to: `[rows] + cell`, one per column. */
  def inputs: Seq[TensorSpec] = step.models.head.inputs.take(columns.size)
}

/** One merge. */
sealed trait ReduceStep extends Serializable {

  /** The models that it runs; the first is always there. */
  def models: Seq[ModelDefinition]
}

object ReduceStep {

  /** Any number of rows become one.
    *
    * @param one
    *   inputs `[rows] + cell`, outputs `cell`: one group
    * @param many
    *   inputs `[groups, rows] + cell`, outputs `[groups] + cell`: groups of equal size at once; None where the graph
    *   cannot be run that way
    */
  final case class Blocks(one: ModelDefinition, many: Option[ModelDefinition]) extends ReduceStep {
    override def models: Seq[ModelDefinition] = one +: many.toSeq
  }

  /** Two rows become one.
    *
    * @param model
    *   inputs: the first rows of each column, then the second ones, all `[pairs] + cell`; outputs `[pairs] + cell`
    * @param oneByOne
    *   whether each pair needs a separate run, because shapes may differ
    */
  final case class Pairs(model: ModelDefinition, oneByOne: Boolean) extends ReduceStep {
    override def models: Seq[ModelDefinition] = Seq(model)
  }
}
