package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, NodeDef}

import org.sparkdl.graph.Reached
import org.sparkdl.runtime.{DType, TensorName, TfGraph}
import org.sparkdl.tensor.TensorSpec

/** A placeholder: an operation that gets its value from outside.
  *
  * @param dtypeCode
  *   TensorFlow's number for its type, which may be one that sparkdl does not know
  * @param shape
  *   None for an unknown rank
  */
final private[model] case class Placeholder(name: String, dtypeCode: Int, shape: Option[Seq[Long]]) {
  def dtype: Option[DType] = DType.fromCode(dtypeCode)

  /** e.g. "bool []". */
  def typeString: String = {
    val name = dtype.fold(org.tensorflow.proto.DataType.forNumber(dtypeCode).toString)(_.name)
    s"$name ${TensorSpec.shapeString(shape)}"
  }

  override def toString: String = s"$name: $typeString"
}

private[model] object Placeholder {

  /** A placeholder with a default, which needs no value. */
  val WithDefault = "PlaceholderWithDefault"
  private val WithoutDefault = Set("Placeholder", "PlaceholderV2")

  /** The first version of graphs in which a placeholder of shape [] is a scalar; before, its rank was unknown. */
  val ScalarsKnown = 24

  /** Whether the operation cannot do without a value from outside. */
  def needsValue(node: NodeDef): Boolean = WithoutDefault(node.getOp) && !standsForWeight(node)

  def isPlaceholder(node: NodeDef): Boolean = needsValue(node) || node.getOp == WithDefault

  /** Whether its value is in a file beside the graph. */
  private def standsForWeight(node: NodeDef) = node.containsAttr(TfGraph.OffsetAttribute)

  def of(node: NodeDef, graph: GraphDef): Placeholder = {
    val shape = Option(node.getAttrMap.get("shape")).map(_.getShape).filterNot(_.getUnknownRank)
    val dims = shape.map(_.getDimList.asScala.map(_.getSize).toSeq)
    val known = dims.filter(_.nonEmpty || graph.getVersions.getProducer >= ScalarsKnown)
    Placeholder(node.getName, node.getAttrOrThrow("dtype").getTypeValue, known)
  }
}

/** The operations of a graph by name, and what depends on which placeholder. */
final private[model] class GraphNodes(graph: GraphDef) {
  private val nodes: Map[String, NodeDef] = graph.getNodeList.asScala.iterator.map(n => n.getName -> n).toMap

  def operation(name: String): Option[NodeDef] = nodes.get(name)

  def placeholder(node: NodeDef): Placeholder = Placeholder.of(node, graph)

  /** The placeholders without a value that a tensor needs, in the order of the graph.
    *
    * @param fed
    *   tensors, "op:index", that have a value: what they are computed from is not needed
    */
  def unfed(tensor: String, fed: Set[String]): Seq[Placeholder] =
    needed(tensor, fed).filter(Placeholder.needsValue).map(placeholder)

  /** All placeholders that tensors depend on, those with defaults too. */
  def placeholders(tensors: Seq[String]): Seq[Placeholder] =
    tensors.flatMap(needed(_, Set.empty)).distinct.filter(Placeholder.isPlaceholder).map(placeholder)

  private def needed(tensor: String, fed: Set[String]): Seq[NodeDef] = {
    def unfed(tensors: Seq[String]) = tensors.map(TensorName.split).collect {
      case (op, index) if !fed(s"$op:$index") && !replaced(op, fed) => op
    }
    val reached = Reached.from(unfed(Seq(tensor))) { op =>
      unfed(nodes.get(op).toSeq.flatMap(_.getInputList.asScala.map(after)))
    }
    graph.getNodeList.asScala.toVector.filter(n => reached(n.getName))
  }

  /** A placeholder that is fed no longer exists for operations that only have to run after it. */
  private def replaced(op: String, fed: Set[String]) = fed(s"$op:0") && nodes.get(op).exists(Placeholder.needsValue)

  /** "^op" is an operation that only has to run before: it is needed even if one of its outputs is fed. */
  private def after(input: String): String = if (TensorName.isControl(input)) s"${input.drop(1)}:-1" else input
}

private[model] object GraphNodes {

  /** The graph that `files` hold. */
  def graphOf(files: GraphFiles): GraphDef =
    if (!files.isSavedModel) MappedProtos.graphDef(files.path)
    else SavedModels.metaGraph(files.path, files.tags).getGraphDef
}
