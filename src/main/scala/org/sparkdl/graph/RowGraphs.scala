package org.sparkdl.graph

import org.sparkdl.tensor.TensorSpec

/** A graph for blocks of rows.
  *
  * @param graphDef
  *   serialized
  * @param inputs
  *   with the dimension of rows in front
  * @param outputs
  *   with the dimension of rows in front
  * @param oneByOne
  *   whether it can only be run with one row, since outputs of several might differ in shape
  */
final case class BlockGraph(
    graphDef: Array[Byte],
    inputs: Seq[TensorSpec],
    outputs: Seq[TensorSpec],
    oneByOne: Boolean
)

/** Makes a graph that is written for one row into one for many. */
object RowGraphs {

  /** The graph over rows.
    *
    * @param graphDef
    *   serialized, frozen
    * @param inputs
    *   placeholders; the shapes are those of one row's value, perhaps better known than in the graph
    * @param outputs
    *   tensors of one row
    */
  def toBlocks(graphDef: Array[Byte], inputs: Seq[TensorSpec], outputs: Seq[TensorSpec]): BlockGraph = ???
}
