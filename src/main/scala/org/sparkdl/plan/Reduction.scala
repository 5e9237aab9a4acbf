package org.sparkdl.plan

import org.sparkdl.engine.EngineSettings
import org.sparkdl.model.ModelDefinition

/** How rows are merged into one. Column `i` of what is merged feeds input `i` and is output `i`.
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
)

/** One merge. */
sealed trait ReduceStep extends Serializable

object ReduceStep {

  /** Any number of rows become one.
    *
    * @param one
    *   inputs `[rows] + cell`, outputs `cell`: one group
    * @param many
    *   inputs `[groups, rows] + cell`, outputs `[groups] + cell`: groups of equal size at once; None where the graph
    *   cannot be run so
    */
  final case class Blocks(one: ModelDefinition, many: Option[ModelDefinition]) extends ReduceStep

  /** Two rows become one.
    *
    * @param model
    *   inputs: the first rows of each column, then the second ones, all `[pairs] + cell`; outputs `[pairs] + cell`
    * @param oneByOne
    *   whether each pair needs a run of its own, since shapes may differ
    */
  final case class Pairs(model: ModelDefinition, oneByOne: Boolean) extends ReduceStep
}
