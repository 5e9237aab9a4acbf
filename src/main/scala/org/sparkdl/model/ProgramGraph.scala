package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.jdk.CollectionConverters._

import org.apache.commons.text.similarity.LevenshteinDistance
import org.tensorflow.proto.{GraphDef, NodeDef, VersionDef}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.graph.Reached
import org.sparkdl.runtime.{GraphDefs, NativeRuntime, TensorName, TfGraph}
import org.sparkdl.tensor.TensorSpec

/** A frozen GraphDef of which a program runs a part: what its tensors need, and what shapes they have. Immutable. */
final private[sparkdl] class ProgramGraph private (val runtime: NativeRuntime, whole: GraphFiles, graph: GraphDef) {
  import ProgramGraph._

  private val nodes: Map[String, NodeDef] = graph.getNodeList.asScala.map(n => n.getName -> n).toMap

  private lazy val pools =
    WindowChecks.mayNeed(
      (nodes.values ++ graph.getLibrary.getFunctionList.asScala.flatMap(_.getNodeDefList.asScala)).map(_.getOp)
    )

  /** The type of an operation, such as "Placeholder". */
  def operation(name: String): Option[String] = nodes.get(name).map(_.getOp)

  /** Names of operations that resemble `name`, for messages. */
  def similarNames(name: String): Seq[String] = {
    val distance = LevenshteinDistance.getDefaultInstance
    val candidates = graph.getNodeList.asScala.toVector.filterNot(n => Hidden(n.getOp)).map(_.getName)
    candidates.sortBy(c => distance(c.toLowerCase, name.toLowerCase): Int).take(8)
  }

  /** The placeholders that must be fed to compute `tensors`, in the order of the graph.
    *
    * @param fed
    *   names of further operations that are fed, so that what they are computed from is not needed
    */
  def placeholders(tensors: Seq[String], fed: Set[String]): Seq[TensorSpec] =
    needed(tensors, fed).filter(n => n.getOp == Plain || fed(n.getName)).map(placeholder)

  /** The variables that `tensors` read. A frozen graph has none. */
  def variables(tensors: Seq[String], fed: Set[String]): Seq[String] =
    needed(tensors, fed).filter(n => Variables(n.getOp)).map(_.getName)

  /** The part that `tensors` need, as a file. The rest of a graph may not even load. */
  def files(tensors: Seq[String]): GraphFiles = {
    val part =
      needed(tensors, fed = Set.empty) // with the defaults of placeholders that are fed, which TensorFlow requires
    if (part.size == graph.getNodeCount && !pools) whole
    else stored(graph.toBuilder.clearNode().addAllNode(part.asJava).build())
  }

  /** A graph that was made of a part of this one, as a file. */
  def files(made: Array[Byte]): GraphFiles =
    if (pools) stored(GraphDef.parseFrom(made)) else StoredGraphs.store(made)

  private def stored(made: GraphDef) = StoredGraphs.store((if (pools) WindowChecks.in(made) else made).toByteArray)

  /** The part that `tensors` need, with the inputs as placeholders of these shapes: serialized. */
  def restricted(inputs: Seq[TensorSpec], tensors: Seq[String]): Array[Byte] = {
    val specs = inputs.map(i => TensorName.operation(i.tensor) -> i).toMap
    val builder = graph.toBuilder.clearNode()
    needed(tensors, specs.keySet).foreach(n => builder.addNode(specs.get(n.getName).fold(n)(asPlaceholder(n, _))))
    if (graph.getVersions.getProducer < Placeholder.ScalarsKnown)
      builder.setVersions(VersionDef.newBuilder().setProducer(Placeholder.ScalarsKnown))
    builder.build().toByteArray
  }

  /** What TensorFlow infers of `tensors` when the inputs have these shapes; throws TfException where the shapes do
    * not match.
    */
  def inferred(inputs: Seq[TensorSpec], tensors: Seq[String]): Seq[TensorSpec] = {
    val part = TfGraph.fromBytes(runtime, restricted(inputs, tensors))
    try tensors.map(spec(part, _))
    finally part.close()
  }

  /** The graph with these values for placeholders.
    *
    * @param fed
    *   placeholders that columns feed: they cannot have a value, too
    */
  def withConstants(constants: Map[String, Any], fed: Seq[String]): ProgramGraph =
    ProgramGraph(runtime, Constants.inProgram(graph, constants, fed).toByteArray)

  private def spec(part: TfGraph, tensor: String): TensorSpec = {
    val output =
      part.output(tensor).getOrElse(fail(s"operation '${TensorName.operation(tensor)}' has no output '$tensor'"))
    val dtype = output.dtype.getOrElse(untyped(tensor, output.dtypeCode))
    TensorSpec(tensor, output.name, dtype, Option(output.shape).map(_.toSeq))
  }

  private def needed(tensors: Seq[String], fed: Set[String]): Seq[NodeDef] = {
    val reached = Reached.from(tensors.map(TensorName.operation)) { name =>
      if (fed(name)) Nil else nodes.get(name).toSeq.flatMap(_.getInputList.asScala.map(TensorName.operation))
    }
    graph.getNodeList.asScala.toVector.filter(n => reached(n.getName))
  }

  private def placeholder(node: NodeDef): TensorSpec = {
    val placeholder = Placeholder.of(node, graph)
    val dtype = placeholder.dtype.getOrElse(untyped(placeholder.name, placeholder.dtypeCode))
    TensorSpec(placeholder.name, s"${placeholder.name}:0", dtype, placeholder.shape)
  }
}

private[sparkdl] object ProgramGraph {
  private val Plain = "Placeholder"
  private val Hidden = Set("Const", "NoOp", "Assert")
  private val Variables = Set("Variable", "VariableV2", "VarHandleOp", "TemporaryVariable")

  /** Reads a serialized GraphDef. */
  def apply(runtime: NativeRuntime, graphDef: Array[Byte]): ProgramGraph =
    read(runtime, graphDef, StoredGraphs.store(graphDef))

  /** Reads the file of a serialized GraphDef, and takes the file over: nobody else may use it. */
  def takeOver(runtime: NativeRuntime, file: Path): ProgramGraph = {
    val graphDef = Files.readAllBytes(file)
    try read(runtime, graphDef, StoredGraphs.takeOver(file, graphDef))
    finally { Files.deleteIfExists(file); () }
  }

  private def read(runtime: NativeRuntime, graphDef: Array[Byte], stored: => GraphFiles): ProgramGraph = {
    val graph =
      try GraphDef.parseFrom(graphDef)
      catch { case e: java.io.IOException => fail(s"the bytes are not a serialized GraphDef (${e.getMessage})") }
    if (graph.getNodeCount == 0) fail("it has no operations; expected a serialized GraphDef")
    val runnable = FalseFusions.without(DrawingNodes.withoutSeeds(graph))
    new ProgramGraph(runtime, if (runnable eq graph) stored else StoredGraphs.store(runnable.toByteArray), runnable)
  }

  private def asPlaceholder(node: NodeDef, input: TensorSpec): NodeDef =
    GraphDefs.placeholder(node.getName, node.getAttrOrThrow("dtype"), input.shape)

  private def untyped(tensor: String, code: Int): Nothing =
    fail(s"tensor '$tensor' has a type that cannot be a column (TF_DataType $code); cast it in the graph")

  private def fail(why: String): Nothing = throw new InvalidModelException(s"Cannot use the program's graph: $why.")
}
