package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, NodeDef}

import org.sparkdl.runtime.{DType, GraphDefs}

/** Look-ups of rows in variables, as gathers from their values.
  *
  * TensorFlow gives a variable memory of its own in each session that looks rows up in it. A value is read without a
  * copy, so that sessions of both precisions can have it in one place.
  */
private[model] object VariableLookups {
  private val Operation = "ResourceGather"

  /** The graph with such gathers, if it has large variables. */
  def asGathers(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    val nodes = graph.getNodeList.asScala
    val looksUp = nodes.exists(isLookup) || functions.exists(_.getNodeDefList.asScala.exists(isLookup))
    if (looksUp && nodes.exists(VariableHandles.isLarge)) rewritten(graph) else graph
  }

  private def isLookup(node: NodeDef) = node.getOp == Operation

  private def rewritten(graph: GraphDef): GraphDef = {
    val builder = graph.toBuilder.clearNode()
    graph.getNodeList.forEach(n => gather(n, value = "", axis = "").foreach(builder.addNode(_)))
    builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
      val nodes = f.getNodeDefList.asScala.toVector
      f.clearNodeDef()
      nodes.flatMap(gather(_, value = ":value:0", axis = ":output:0")).foreach(f.addNodeDef(_))
    }
    builder.build()
  }

  /** The nodes that take the place of a look-up; of any other node, itself.
    *
    * @param value
    *   by what functions name the output of a node that reads a variable
    * @param axis
    *   by what they name that of a constant
    */
  private def gather(node: NodeDef, value: String, axis: String): Seq[NodeDef] =
    if (!isLookup(node)) Seq(node)
    else {
      val (read, dims, dtype) = (s"${node.getName}/value", s"${node.getName}/axis", node.getAttrOrThrow("dtype"))
      val batchDims = if (node.containsAttr("batch_dims")) node.getAttrOrThrow("batch_dims").getI else 0L
      val Seq(variable, indices) = VariableUses.inputs(node).take(2)
      val first = GraphDefs.tensor(DType.Int32, Nil, Seq(batchDims))
      val types = Map("Tparams" -> dtype, "Tindices" -> node.getAttrOrThrow("Tindices"), "Taxis" -> DType.Int32)
      Seq(
        GraphDefs.node("ReadVariableOp", read, variable +: VariableUses.inputs(node).drop(2), Map("dtype" -> dtype)),
        GraphDefs.node("Const", dims, Nil, Map("dtype" -> DType.Int32, "value" -> first)),
        GraphDefs
          .node(
            "GatherV2",
            node.getName,
            Seq(s"$read$value", indices, s"$dims$axis"),
            types + ("batch_dims" -> batchDims)
          )
      ).map(_.toBuilder.setDevice(node.getDevice).build())
    }
}
