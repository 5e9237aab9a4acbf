package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{AttrValue, DataType, FunctionDef, GraphDef, NameAttrList, NodeDef}

import org.sparkdl.runtime.{GraphDefs, TensorName, TfException}

/** The row graph as a function that the operation `MapDefun` calls for each row, within one run. */
private[graph] object MapDefunGraph {

  /** The block graph and its outputs. Each output must have the same shape for all rows of a batch; `MapDefun`
    * compares these and refuses the batch otherwise.
    */
  def of(row: RowGraph): Option[(GraphDef, Seq[String])] =
    if (row.sorted.isEmpty) None
    else
      try Some(graph(row, FunctionDef.parseFrom(row.asFunction(functionName(row)))))
      catch { case _: TfException => None }

  private def functionName(row: RowGraph): String =
    new FreshNames(row.graphDef.getLibrary.getFunctionList.asScala.map(_.getSignature.getName))("sparkdl_one_row")

  private def graph(row: RowGraph, function: FunctionDef): (GraphDef, Seq[String]) = {
    val names = new FreshNames(row.inputs.map(i => TensorName.operation(i.tensor)))
    val map = names("rows")
    val graph = GraphDef.newBuilder().setVersions(row.graphDef.getVersions)
    row.inputs.foreach(i => graph.addNode(placeholder(row, i.tensor)))
    graph.addNode(call(row, map, function.getSignature.getName))
    graph.setLibrary(row.graphDef.getLibrary.toBuilder.addFunction(function))
    val fetched = row.outputs.distinct
    (graph.build(), row.outputs.map(o => s"$map:${fetched.indexOf(o)}"))
  }

  private def placeholder(row: RowGraph, ref: String): NodeDef =
    GraphDefs.placeholder(
      TensorName.operation(ref),
      GraphDefs.attribute(row.dtype(ref)),
      row.shape(ref).map(-1L +: _)
    )

  private def call(row: RowGraph, name: String, function: String): NodeDef = {
    val outputs = row.outputs.distinct
    val shapes = AttrValue.ListValue.newBuilder()
    outputs.foreach(o => shapes.addShape(GraphDefs.shape(row.shape(o))))
    GraphDefs.node(
      "MapDefun",
      name,
      row.inputs.map(_.tensor),
      Map(
        "Targuments" -> types(row.inputs.map(i => row.dtype(i.tensor))),
        "Tcaptured" -> types(Nil),
        "output_types" -> types(outputs.map(row.dtype)),
        "output_shapes" -> AttrValue.newBuilder().setList(shapes).build(),
        "f" -> AttrValue.newBuilder().setFunc(NameAttrList.newBuilder().setName(function)).build()
      )
    )
  }

  private def types(dtypes: Seq[DataType]): AttrValue = {
    val list = AttrValue.ListValue.newBuilder()
    dtypes.foreach(list.addType)
    AttrValue.newBuilder().setList(list).build()
  }
}
