package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.apache.spark.unsafe.Platform
import org.tensorflow.proto.{DataType, GraphDef, NodeDef}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{DType, GraphDefs, NativeRuntime, TensorName, TfException, TfGraph, TfOutput, TfTensor}
import org.sparkdl.tensor.TensorSpec

/** A graph for one row: only what its outputs need, with its inputs as placeholders of the given shapes, and what
  * TensorFlow infers from them. Close it.
  *
  * @param outputs
  *   tensors in the order they were asked for; none is a placeholder itself, which could not be fed and fetched
  */
private[graph] final class RowGraph private (
    val runtime: NativeRuntime,
    val graphDef: GraphDef,
    val inputs: Seq[TensorSpec],
    val outputs: Seq[String],
    graph: TfGraph
) extends AutoCloseable {

  val nodes: Seq[NodeDef] = graphDef.getNodeList.asScala.toVector
  private val inputNames = inputs.map(i => TensorName.operation(i.tensor)).toSet

  /** The placeholder of a row's value, turned into one for many rows: these are its first dimension. */
  def withRows(placeholder: NodeDef): NodeDef =
    GraphDefs.withShape(placeholder, shape(placeholder.getName).map(-1L +: _))

  /** Whether the node is a placeholder of a row's value. */
  def isInput(node: NodeDef): Boolean = inputNames(node.getName)

  /** Each node after those that it needs; None for graphs with loops of TensorFlow 1 (`Enter`, `NextIteration`). */
  lazy val sorted: Option[Seq[NodeDef]] = {
    val waiting = collection.mutable.Map(
      nodes.map(n => n.getName -> n.getInputList.asScala.map(TensorName.operation).toSet): _*
    )
    val users = Groups.of(nodes.flatMap(n => waiting(n.getName).map(_ -> n)))
    val ready = collection.mutable.Queue(nodes.filter(n => waiting(n.getName).isEmpty): _*)
    val order = Seq.newBuilder[NodeDef]
    while (ready.nonEmpty) {
      val node = ready.dequeue()
      order += node
      for (user <- users.getOrElse(node.getName, Nil)) {
        waiting(user.getName) -= node.getName
        if (waiting(user.getName).isEmpty) ready += user
      }
    }
    Some(order.result()).filter(_.size == nodes.size)
  }

  /** The shape of one row's tensor. */
  def shape(ref: String): Option[Seq[Long]] = Option(tensor(ref).shape).map(_.toSeq)

  def dtype(ref: String): DataType = DataType.forNumber(tensor(ref).dtypeCode)

  /** The integers of a tensor that is the same for all rows, where TensorFlow can tell. */
  def constant(ref: String): Option[Seq[Long]] = graph.constant(tensor(ref)).flatMap { value =>
    try RowGraph.integers(value)
    finally value.close()
  }

  /** The graph as a function: a serialized FunctionDef. */
  def asFunction(name: String): Array[Byte] =
    graph.asFunction(name, inputs.map(i => tensor(i.tensor)), outputs.distinct.map(tensor))

  private def tensor(ref: String): TfOutput =
    graph.output(ref).getOrElse(throw new InvalidModelException(s"The graph has no tensor '$ref'."))

  override def close(): Unit = graph.close()
}

private[graph] object RowGraph {

  /** The part of the graph that `outputs` need, with `inputs` as its placeholders. */
  def of(
      runtime: NativeRuntime,
      source: GraphDef,
      inputs: Seq[TensorSpec],
      outputs: Seq[String]
  ): RowGraph = {
    val placeholders = inputs.map(i => TensorName.operation(i.tensor) -> placeholder(i)).toMap
    val byName = source.getNodeList.asScala.map(n => n.getName -> n).toMap ++ placeholders
    val needed = Reached.from(outputs.map(TensorName.operation) ++ placeholders.keys) { name =>
      byName.get(name).toSeq.flatMap(_.getInputList.asScala.map(TensorName.operation))
    }
    val names = new FreshNames(byName.keys)
    val copied = outputs.distinct
      .filter(o => placeholders.contains(TensorName.operation(o)))
      .map(o => o -> names(s"${TensorName.operation(o)}/output"))
    val copies = copied.map { case (of, name) =>
      GraphDefs.node(
        "Identity",
        name,
        Seq(of),
        Map("T" -> placeholders(TensorName.operation(of)).getAttrOrThrow("dtype"))
      )
    }
    val pruned = GraphDef.newBuilder().setVersions(source.getVersions).setLibrary(source.getLibrary)
    // in the order of the source, so that equal graphs give equal bytes
    source.getNodeList.asScala.map(_.getName).filter(needed).foreach(n => pruned.addNode(cleaned(byName(n))))
    copies.foreach(pruned.addNode)
    val graphDef = pruned.build()
    val fetches = outputs.map(o => copied.toMap.getOrElse(o, o))
    new RowGraph(runtime, graphDef, inputs, fetches, importGraph(runtime, graphDef, inputs))
  }

  private def placeholder(spec: TensorSpec): NodeDef =
    GraphDefs.placeholder(TensorName.operation(spec.tensor), GraphDefs.attribute(spec.dtype), spec.shape)

  /** The elements of an int32 or int64 tensor. */
  private def integers(tensor: TfTensor): Option[Seq[Long]] = tensor.dtype match {
    case DType.Int32 =>
      Some(Seq.tabulate(tensor.elements.toInt)(i => Platform.getInt(null, tensor.address + 4L * i).toLong))
    case DType.Int64 =>
      Some(Seq.tabulate(tensor.elements.toInt)(i => Platform.getLong(null, tensor.address + 8L * i)))
    case _ => None
  }

  /** Without the attributes that say where the node ran and which shapes it had, neither of which applies any more.
    */
  private def cleaned(node: NodeDef): NodeDef =
    node.toBuilder.removeAttr("_class").removeAttr("_output_shapes").build()

  private def importGraph(runtime: NativeRuntime, graphDef: GraphDef, inputs: Seq[TensorSpec]): TfGraph =
    try TfGraph.fromBytes(runtime, graphDef.toByteArray)
    catch {
      case e: TfException =>
        throw new InvalidModelException(
          s"TensorFlow does not accept the graph with the inputs ${inputs.mkString(", ")}: ${e.getMessage} " +
            "Check that the columns have the shapes that the graph was written for.",
          e
        )
    }
}
