package org.sparkdl.runtime

import org.tensorflow.proto.{AttrValue, DataType, GraphDef, NodeDef}

/** Writes the GraphDef of a small graph that sparkdl itself needs, node by node. */
final class GraphDefs {
  private val graph = GraphDef.newBuilder()

  /** Adds a placeholder of any shape. */
  def placeholder(name: String, dtype: DType): GraphDefs =
    add(NodeDef.newBuilder().setOp("Placeholder").setName(name).putAttr("dtype", typeAttr(dtype)))

  /** Adds an operation with integer attributes; attributes that are not given keep TensorFlow's defaults. */
  def node(op: String, name: String, inputs: Seq[String], ints: Map[String, Long] = Map.empty): GraphDefs = {
    val node = NodeDef.newBuilder().setOp(op).setName(name)
    inputs.foreach(node.addInput)
    ints.foreach { case (key, value) => node.putAttr(key, AttrValue.newBuilder().setI(value).build()) }
    add(node)
  }

  /** The serialized GraphDef, for [[TfGraph.fromBytes]]. */
  def toBytes: Array[Byte] = graph.build().toByteArray

  private def add(node: NodeDef.Builder): GraphDefs = { graph.addNode(node); this }

  private def typeAttr(dtype: DType) = AttrValue.newBuilder().setType(DataType.forNumber(dtype.code)).build()
}
