package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{DataType, GraphDef, NodeDef}

import org.sparkdl.runtime.{DType, GraphDefs, TensorName}

/** The row graph for blocks of one row: the dimension of rows is removed before it and added again behind it. */
private[graph] object OneRowGraph {

  /** The block graph and its outputs. */
  def of(row: RowGraph): (GraphDef, Seq[String]) = {
    val names = new FreshNames(row.nodes.map(_.getName))
    val inputs = row.nodes.filter(row.isInput).map(n => n.getName -> names(s"${n.getName}/row")).toMap
    val outputs = row.outputs.distinct.map(o => o -> names(s"${TensorName.operation(o)}/rows")).toMap
    val axis = names("rows/axis")
    val graph = GraphDef.newBuilder().setVersions(row.graphDef.getVersions).setLibrary(row.graphDef.getLibrary)
    row.nodes.foreach(n => graph.addNode(if (row.isInput(n)) row.withRows(n) else onRow(n, inputs)))
    inputs.foreach { case (of, name) => graph.addNode(squeezed(row, of, name)) }
    graph.addNode(GraphDefs.node("Const", axis, Nil, Map("dtype" -> DataType.DT_INT32, "value" -> zero)))
    outputs.foreach { case (of, name) =>
      val types = Map("T" -> row.dtype(of), "Tdim" -> DataType.DT_INT32)
      graph.addNode(GraphDefs.node("ExpandDims", name, Seq(of, axis), types))
    }
    (graph.build(), row.outputs.map(outputs))
  }

  private def zero = GraphDefs.tensor(DType.Int32, Nil, Seq(0))

  private def squeezed(row: RowGraph, of: String, name: String): NodeDef =
    GraphDefs.node("Squeeze", name, Seq(of), Map("T" -> row.dtype(of), "squeeze_dims" -> GraphDefs.ints(Seq(0))))

  /** The node, fed by what replaces the placeholders. */
  private def onRow(node: NodeDef, inputs: Map[String, String]): NodeDef = {
    val rewired = node.toBuilder.clearInput()
    node.getInputList.asScala.foreach { ref =>
      rewired.addInput(if (TensorName.isControl(ref)) ref else inputs.getOrElse(TensorName.operation(ref), ref))
    }
    rewired.build()
  }
}
