package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._
import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.tensorflow.proto.{AttrValue, GraphDef, NodeDef}

import org.sparkdl.runtime.TensorName

/** What draws random numbers in graphs that come as they are, without a manifest that says it. */
private[sparkdl] object DrawingNodes {

  private val Table = "/org/sparkdl/random_operations.json"

  private lazy val table: JsonNode =
    Using.resource(getClass.getResourceAsStream(Table))(in => new ObjectMapper().readTree(in))

  /** Those on a variable with the state of a generator. */
  private lazy val OfGenerators = listed("ofGenerators")

  /** The operations that draw: one list for Scala and Python, `python/sparkdl/resources/random_operations.json`. */
  private lazy val Drawing = OfGenerators ++ listed("ofSessions")

  private def listed(kind: String): Set[String] = table.get(kind).asScala.map(_.asText).toSet

  /** Operations whose functions have to be looked into. */
  private val Calling =
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
  def mayBeAmong(types: Iterable[String]): Boolean = types.exists(t => Drawing(t) || Calling(t))

  /** How `tensors` are drawn.
    *
    * @param seed
    *   of a graph that has a placeholder for it
    */
  def of(graph: GraphDef, tensors: Seq[String], seed: Option[String]): Option[RandomDraws] = {
    val nodes = needed(graph, tensors)
    val generators = nodes.exists(n => n.getOp == "VarHandleOp" && isGenerator(n.getName))
    val drawing = if (generators) Drawing -- OfGenerators else Drawing // the engine sets the variables
    val own = nodes.collect { case n if drawing(n.getOp) => s"${n.getOp} '${n.getName}'" }
    RandomDraws.of(seed.orElse(if (generators) Some(s"${RandomDraws.Seed}:0") else None), own.sorted)
  }

  /** The variables of `keras.random.SeedGenerator` and `tf.random.Generator`. */
  def isGenerator(variable: String): Boolean =
    variable.split('/').last.matches("(seed_generator_state|StateVar)(_\\d+)?")

  /** The nodes that `tensors` need, and all those of the functions that these call. */
  private def needed(graph: GraphDef, tensors: Seq[String]): Seq[NodeDef] = {
    val nodes = graph.getNodeList.asScala.map(n => n.getName -> n).toMap
    val functions = graph.getLibrary.getFunctionList.asScala.map(f => f.getSignature.getName -> f).toMap
    val (found, called) = (mutable.LinkedHashSet.empty[NodeDef], mutable.Set.empty[String])
    val open = mutable.Stack.from(tensors.map(TensorName.operation).flatMap(nodes.get))
    while (open.nonEmpty) {
      val node = open.pop()
      if (found.add(node)) {
        if (nodes.get(node.getName).contains(node))
          open.pushAll(node.getInputList.asScala.map(TensorName.operation).flatMap(nodes.get))
        VariableUses
          .functionsOf(node)
          .filter(called.add)
          .flatMap(functions.get)
          .foreach(f => open.pushAll(f.getNodeDefList.asScala))
      }
    }
    found.toSeq
  }

  /** The graph with operations that draw other numbers in every session: a seed of 0 and 0 is none. Two executors
    * would else draw the same.
    */
  def withoutSeeds(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    if (!(graph.getNodeList.asScala ++ functions.flatMap(_.getNodeDefList.asScala)).exists(isSeeded)) graph
    else {
      val made = graph.toBuilder
      made.getNodeBuilderList.forEach(forget(_))
      made.getLibraryBuilder.getFunctionBuilderList.forEach(_.getNodeDefBuilderList.forEach(forget(_)))
      made.build()
    }
  }

  private def isSeeded(node: NodeDef): Boolean =
    Drawing(node.getOp) && Seeds.exists(s => node.containsAttr(s) && node.getAttrOrThrow(s).getI != 0)

  private def forget(node: NodeDef.Builder): Unit =
    if (Drawing(node.getOp)) Seeds.filter(node.containsAttr).foreach(node.putAttr(_, NoSeed))

  private val NoSeed = AttrValue.newBuilder().setI(0).build()
}
