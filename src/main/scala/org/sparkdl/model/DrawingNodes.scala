package org.sparkdl.model

import scala.jdk.CollectionConverters._
import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.tensorflow.proto.{AttrValue, GraphDef, NodeDef}

import org.sparkdl.graph.Reached
import org.sparkdl.runtime.TensorName

/** Finds what draws random numbers in graphs that come as they are, without a manifest that says so. */
private[sparkdl] object DrawingNodes {

  private val Table = "/org/sparkdl/random_operations.json"

  private lazy val table: JsonNode =
    Using.resource(getClass.getResourceAsStream(Table))(in => new ObjectMapper().readTree(in))

  /** Those on a variable that holds the state of a generator. */
  private lazy val GeneratorOps = listed("ofGenerators")

  /** The operations that draw: one list for Scala and Python, `python/sparkdl/resources/random_operations.json`. */
  private lazy val DrawingOps = GeneratorOps ++ listed("ofSessions")

  private def listed(kind: String): Set[String] = table.get(kind).asScala.map(_.asText).toSet

  /** Operations whose functions have to be searched, too. */
  private val CallingOps =
    Set(
      "PartitionedCall",
      "StatefulPartitionedCall",
      "While",
      "StatelessWhile",
      "If",
      "StatelessIf",
      "Case",
      "MapDefun"
    )

  private val Seeds = Seq("seed", "seed2")

  /** Whether a graph with operations of these types may draw. */
  def mayDraw(types: Iterable[String]): Boolean = types.exists(t => DrawingOps(t) || CallingOps(t))

  /** How the graph draws numbers to compute `tensors`; None when it draws none.
    *
    * @param seed
    *   the placeholder for the seed, if the graph has one
    */
  def of(graph: GraphDef, tensors: Seq[String], seed: Option[String]): Option[RandomDraws] = {
    val nodes = needed(graph, tensors)
    val generators = nodes.exists(n => n.getOp == "VarHandleOp" && isGenerator(n.getName))
    val drawing = if (generators) DrawingOps -- GeneratorOps else DrawingOps // the engine sets the variables
    val unseeded = nodes.collect { case n if drawing(n.getOp) => s"${n.getOp} '${n.getName}'" }
    RandomDraws.of(seed.orElse(if (generators) Some(s"${RandomDraws.Seed}:0") else None), unseeded.sorted)
  }

  /** The variables of `keras.random.SeedGenerator` and `tf.random.Generator`. */
  def isGenerator(variable: String): Boolean =
    variable.split('/').last.matches("(seed_generator_state|StateVar)(_\\d+)?")

  /** The nodes that `tensors` need, and all those of the functions that these call. */
  private def needed(graph: GraphDef, tensors: Seq[String]): Seq[NodeDef] = {
    val nodes = graph.getNodeList.asScala.map(n => n.getName -> n).toMap
    val functions = graph.getLibrary.getFunctionList.asScala.map(f => f.getSignature.getName -> f).toMap
    def inputs(node: NodeDef) = node.getInputList.asScala.map(TensorName.operation).flatMap(nodes.get)
    Reached
      .from(tensors.map(TensorName.operation).flatMap(nodes.get)) { node =>
        val called = VariableUses.functionsOf(node).flatMap(functions.get).flatMap(_.getNodeDefList.asScala)
        if (nodes.get(node.getName).contains(node)) called ++ inputs(node) else called
      }
      .toSeq
  }

  /** The graph with its operations unseeded (0 and 0 mean no seed), so that they draw new numbers in every session.
    * Otherwise two executors would draw the same.
    */
  def withoutSeeds(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    if (!(graph.getNodeList.asScala ++ functions.flatMap(_.getNodeDefList.asScala)).exists(isSeeded)) graph
    else {
      val builder = graph.toBuilder
      builder.getNodeBuilderList.forEach(clearSeed(_))
      builder.getLibraryBuilder.getFunctionBuilderList.forEach(_.getNodeDefBuilderList.forEach(clearSeed(_)))
      builder.build()
    }
  }

  private def isSeeded(node: NodeDef): Boolean =
    DrawingOps(node.getOp) && Seeds.exists(s => node.containsAttr(s) && node.getAttrOrThrow(s).getI != 0)

  private def clearSeed(node: NodeDef.Builder): Unit =
    if (DrawingOps(node.getOp)) Seeds.filter(node.containsAttr).foreach(node.putAttr(_, NoSeed))

  private val NoSeed = AttrValue.newBuilder().setI(0).build()
}
