package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.apache.commons.text.similarity.LevenshteinDistance
import org.tensorflow.proto.{AttrValue, GraphDef, NodeDef, TensorShapeProto, VersionDef}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{DType, TfGraph}
import org.sparkdl.tensor.TensorSpec

/** A frozen GraphDef of which a program runs a part: what its tensors need, and what shapes they have. Immutable. */
final private[sparkdl] class ProgramGraph private (whole: GraphFiles, graph: GraphDef) {
  import ProgramGraph._

  private val nodes: Map[String, NodeDef] = graph.getNodeList.asScala.map(n => n.getName -> n).toMap

  /** The type of an operation, such as "Placeholder". */
  def operation(name: String): Option[String] = nodes.get(name).map(_.getOp)

  /** Names of operations that resemble `name`, for messages. */
  def near(name: String): Seq[String] = {
    val distance = LevenshteinDistance.getDefaultInstance
    val candidates = graph.getNodeList.asScala.toSeq.filterNot(n => Hidden(n.getOp)).map(_.getName)
    candidates.sortBy(c => distance(c.toLowerCase, name.toLowerCase): Int).take(8)
  }

  /** The placeholders that must be fed to compute `tensors`, in the order of the graph.
    *
    * @param fed
    *   names of further operations that are fed, so that what they are computed from is not needed
    */
  def placeholders(tensors: Seq[String], fed: Set[String]): Seq[TensorSpec] =
    needed(tensors, fed).filter(n => n.getOp == Placeholder || fed(n.getName)).map(placeholder)

  /** The variables that `tensors` read. A frozen graph has none. */
  def variables(tensors: Seq[String], fed: Set[String]): Seq[String] =
    needed(tensors, fed).filter(n => Variables(n.getOp)).map(_.getName)

  /** The part that `tensors` need, as a file. What else a graph has may not even load. */
  def files(tensors: Seq[String]): GraphFiles = {
    val part =
      needed(tensors, fed = Set.empty) // with the defaults of placeholders that are fed: TensorFlow wants them
    if (part.size == graph.getNodeCount) whole
    else StoredGraphs.store(graph.toBuilder.clearNode().addAllNode(part.asJava).build().toByteArray)
  }

  /** The part that `tensors` need, with the inputs as placeholders of these shapes: serialized. */
  def restricted(inputs: Seq[TensorSpec], tensors: Seq[String]): Array[Byte] = {
    val given_ = inputs.map(i => TfGraph.split(i.tensor)._1 -> i).toMap
    val made = graph.toBuilder.clearNode()
    needed(tensors, given_.keySet).foreach(n => made.addNode(given_.get(n.getName).fold(n)(asPlaceholder(n, _))))
    // Before version 24 a placeholder of shape [] was one of unknown rank.
    if (graph.getVersions.getProducer < ScalarsKnown)
      made.setVersions(VersionDef.newBuilder().setProducer(ScalarsKnown))
    made.build().toByteArray
  }

  /** What TensorFlow infers of `tensors` when the inputs have these shapes; throws TfException where they do not go
    * together.
    */
  def inferred(inputs: Seq[TensorSpec], tensors: Seq[String]): Seq[TensorSpec] = {
    val part = TfGraph.fromBytes(restricted(inputs, tensors))
    try tensors.map(spec(part, _))
    finally part.close()
  }

  private def spec(part: TfGraph, tensor: String): TensorSpec = {
    val output =
      part.output(tensor).getOrElse(fail(s"operation '${TfGraph.split(tensor)._1}' has no output '$tensor'"))
    val dtype = output.dtype.getOrElse(untyped(tensor, output.dtypeCode))
    TensorSpec(tensor, output.name, dtype, Option(output.shape).map(_.toSeq))
  }

  private def needed(tensors: Seq[String], fed: Set[String]): Seq[NodeDef] = {
    val reached = mutable.Set.empty[String]
    val open = mutable.Stack.from(tensors.map(TfGraph.split(_)._1))
    while (open.nonEmpty) {
      val name = open.pop()
      if (reached.add(name) && !fed(name))
        nodes.get(name).foreach(_.getInputList.asScala.foreach(i => open.push(op(i))))
    }
    graph.getNodeList.asScala.toSeq.filter(n => reached(n.getName))
  }

  /** "^op" is an operation that only has to run before. */
  private def op(input: String): String = TfGraph.split(input.stripPrefix("^"))._1

  private def placeholder(node: NodeDef): TensorSpec = {
    val code = node.getAttrOrThrow("dtype").getTypeValue
    val dtype = DType.fromCode(code).getOrElse(untyped(node.getName, code))
    val shape = Option(node.getAttrMap.get("shape")).map(_.getShape).filterNot(_.getUnknownRank)
    val dims = shape.map(_.getDimList.asScala.map(_.getSize).toSeq)
    val known = dims.filter(_.nonEmpty || graph.getVersions.getProducer >= ScalarsKnown)
    TensorSpec(node.getName, s"${node.getName}:0", dtype, known)
  }
}

private[sparkdl] object ProgramGraph {
  private val Placeholder = "Placeholder"
  private val Hidden = Set("Const", "NoOp", "Assert")
  private val Variables = Set("Variable", "VariableV2", "VarHandleOp", "TemporaryVariable")
  private val ScalarsKnown = 24

  /** Reads a serialized GraphDef. */
  def apply(graphDef: Array[Byte]): ProgramGraph = {
    val graph =
      try GraphDef.parseFrom(graphDef)
      catch { case e: java.io.IOException => fail(s"the bytes are no serialized GraphDef (${e.getMessage})") }
    if (graph.getNodeCount == 0) fail("it has no operations; expected a serialized GraphDef")
    val free = DrawingNodes.withoutSeeds(graph)
    new ProgramGraph(StoredGraphs.store(if (free eq graph) graphDef else free.toByteArray), free)
  }

  private def asPlaceholder(node: NodeDef, input: TensorSpec): NodeDef = {
    val shape = TensorShapeProto.newBuilder()
    input.shape.fold[Unit](shape.setUnknownRank(true))(
      _.foreach(d => shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(d)))
    )
    NodeDef
      .newBuilder()
      .setName(node.getName)
      .setOp(Placeholder)
      .putAttr("dtype", node.getAttrOrThrow("dtype"))
      .putAttr("shape", AttrValue.newBuilder().setShape(shape).build())
      .build()
  }

  private def untyped(tensor: String, code: Int): Nothing =
    fail(s"tensor '$tensor' has a type that cannot be a column (TF_DataType $code); cast it in the graph")

  private def fail(why: String): Nothing = throw new InvalidModelException(s"Cannot use the program's graph: $why.")
}
