package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{FunctionDef, GraphDef, NodeDef}

import org.sparkdl.graph.Groups
import org.sparkdl.runtime.TensorName

/** A node and the body that it is in: the graph itself (`VariableUses.Main`) or a function. */
final private[model] case class PlacedNode(body: String, node: NodeDef) {
  def place: (String, String) = (body, node.getName)
  def op: String = node.getOp
  def input(index: Int): String = node.getInput(index)

  /** Its two operands, in both orders. */
  def operands: Seq[(String, String)] = Seq((input(0), input(1)), (input(1), input(0)))
}

/** What computes the tensors of a graph and of its functions, seen through copies and calls, which TensorFlow removes
  * before it fuses operations.
  */
final private[model] class TensorSources(graph: GraphDef) {
  import TensorSources._

  private val functions = graph.getLibrary.getFunctionList.asScala.toVector
  private val byName: Map[String, FunctionDef] = functions.map(f => f.getSignature.getName -> f).toMap

  /** Which variables nodes read. */
  lazy val uses = new VariableUses(graph.getNodeList.asScala.toVector, functions)

  private val nodes: Map[(String, String), PlacedNode] =
    (graph.getNodeList.asScala.map(PlacedNode(VariableUses.Main, _)) ++ functions.flatMap { f =>
      f.getNodeDefList.asScala.map(PlacedNode(f.getSignature.getName, _))
    }).map(at => at.place -> at).toMap

  private val callers: Map[String, Seq[PlacedNode]] = Groups.of(
    nodes.values.toSeq
      .filter(at => Calls(at.op))
      .flatMap(at => VariableUses.functionsOf(at.node).map(_ -> at))
  )

  def all: Iterable[PlacedNode] = nodes.values

  /** The node of the graph itself that has this name. */
  def main(name: String): Option[PlacedNode] = nodes.get((VariableUses.Main, name))

  /** The nodes that may compute a tensor of a body: several, where a function is called from several places. */
  def of(body: String, tensor: String): Seq[PlacedNode] = of(body, tensor, Set.empty)

  private def of(body: String, tensor: String, through: Set[(String, String)]): Seq[PlacedNode] = {
    val place = (body, TensorName.operation(tensor))
    def on(body: String, tensor: String) = of(body, tensor, through + place)
    nodes.get(place) match {
      case _ if through(place)             => Nil
      case Some(at) if at.op == "Identity" => on(body, at.input(0))
      case Some(at) if Calls(at.op)        => returned(at, TensorName.split(tensor)._2).flatMap((on _).tupled)
      case Some(at)                        => Seq(at)
      case None                            => fed(body, place._2).flatMap((on _).tupled)
    }
  }

  /** What a call's function gives at a place, in the function. */
  private def returned(call: PlacedNode, index: Int): Seq[(String, String)] = for {
    name <- VariableUses.functionsOf(call.node)
    function <- byName.get(name).toSeq
    output = function.getSignature.getOutputArg(index).getName
  } yield (name, function.getRetOrThrow(output))

  /** What the calls of a function give it as an argument. */
  private def fed(function: String, argument: String): Seq[(String, String)] = {
    val arguments = byName.get(function).toSeq.flatMap(_.getSignature.getInputArgList.asScala.map(_.getName))
    arguments.indexOf(argument) match {
      case -1    => Nil
      case index => callers.getOrElse(function, Nil).map(call => (call.body, call.input(index)))
    }
  }
}

private[model] object TensorSources {

  /** Operations that call functions which TensorFlow inlines before it fuses. */
  val Calls: Set[String] = Set("PartitionedCall", "StatefulPartitionedCall")
}
