package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.GraphDef

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{DType, GraphDefs, NativeRuntime}
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

/** Turns a graph that is written for one row into one for many. */
object RowGraphs {

  /** The graph for blocks of rows.
    *
    * @param graphDef
    *   serialized, frozen
    * @param inputs
    *   placeholders; their shapes are those of one row's value, perhaps with more known dimensions than in the graph
    * @param outputs
    *   tensors of one row
    * @return
    *   inputs and outputs in the given order, under the same names
    */
  def toBlocks(
      runtime: NativeRuntime,
      graphDef: Array[Byte],
      inputs: Seq[TensorSpec],
      outputs: Seq[TensorSpec]
  ): BlockGraph = {
    require(inputs.nonEmpty, "a graph without inputs has no rows")
    lift(runtime, graphDef, inputs, outputs)(row =>
      Vectorizer
        .of(row)
        .orElse(if (shapesAgree(row)) MapDefunGraph.of(row) else None)
        .map(_ -> false)
        .getOrElse(OneRowGraph.of(row) -> true)
    )
  }

  /** A graph without inputs as one with an input, a number that nothing reads: it says how many rows there are. */
  def counted(graphDef: Array[Byte]): (Array[Byte], TensorSpec) = {
    val graph = GraphDef.parseFrom(graphDef).toBuilder
    val name = new FreshNames(graph.getNodeList.asScala.map(_.getName))("sparkdl_row")
    val counter = TensorSpec(name, s"$name:0", DType.Int32, Some(Nil))
    graph.addNode(GraphDefs.placeholder(name, GraphDefs.attribute(counter.dtype), counter.shape))
    (graph.build().toByteArray, counter)
  }

  /** Like [[toBlocks]], by one given method. */
  private[graph] def lift(
      runtime: NativeRuntime,
      graphDef: Array[Byte],
      inputs: Seq[TensorSpec],
      outputs: Seq[TensorSpec]
  )(method: RowGraph => ((GraphDef, Seq[String]), Boolean)): BlockGraph = {
    val row = RowGraph.of(runtime, GraphDef.parseFrom(graphDef), inputs, outputs.map(_.tensor))
    try {
      val ((graph, tensors), oneByOne) = method(row)
      val shapes = row.outputs.map(row.shape)
      BlockGraph(
        graph.toByteArray,
        inputs.map(i => i.copy(shape = i.shape.map(-1L +: _))),
        outputs.indices.map { i =>
          val cell = refined(outputs(i).shape, shapes(i))
          outputs(i).copy(tensor = tensors(i), shape = cell.map(-1L +: _))
        },
        oneByOne
      )
    } finally row.close()
  }

  /** Whether rows of equal shapes have outputs of equal shapes, that is, whether all dimensions of the outputs are
    * known once those of the inputs are.
    */
  private def shapesAgree(row: RowGraph): Boolean = {
    def known(graph: RowGraph) = graph.outputs.forall(graph.shape(_).exists(!_.exists(_ < 0)))
    def withDimensions = {
      val fixed = row.inputs.map(i => i.copy(shape = i.shape.map(_.map(d => if (d < 0) AnySize else d))))
      val graph = RowGraph.of(row.runtime, row.graphDef, fixed, row.outputs)
      try known(graph)
      finally graph.close()
    }
    known(row) || (try withDimensions
    catch { case _: InvalidModelException => false })
  }

  /** Stands for a dimension of any size. */
  private val AnySize = 5L

  /** What is known from either. */
  private def refined(declared: Option[Seq[Long]], inferred: Option[Seq[Long]]): Option[Seq[Long]] =
    (declared, inferred) match {
      case (Some(a), Some(b)) if a.size == b.size => Some(a.zip(b).map { case (x, y) => if (x < 0) y else x })
      case _                                      => inferred.orElse(declared)
    }
}
