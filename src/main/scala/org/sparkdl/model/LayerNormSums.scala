package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{FunctionDef, GraphDef, NodeDef, TensorShapeProto}

import org.sparkdl.runtime.{TensorName, TfGraph}

/** Sums of normalized values that TensorFlow would take for layer normalizations.
  *
  * For oneDNN it fuses what it finds in `normalized * scale + offset`, as an AddV2, and the fused operation refuses
  * what is not one vector each: the sum of tf_keras' layer normalization without an offset and something else, or of
  * one over several axes. An Add gives the same and is not fused. Python's `_bundles/graph/layer_norms.py` does the
  * same for bundles.
  */
private[model] object LayerNormSums {
  private val Normalization = "FusedBatchNormV3"
  private val Calls = Set("PartitionedCall", "StatefulPartitionedCall") // which TensorFlow inlines before it fuses
  private val Variables = Set("VarHandleOp", "VariableV2", "Variable")

  /** Whether a graph with operations of these types may have such sums. */
  def mayHave(types: Iterable[String]): Boolean = types.exists(t => t == Normalization || Calls(t))

  /** The graph with those sums, also of its functions, as what is not fused. */
  def kept(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala.toSeq
    val bodies = graph.getNodeList.asScala.toSeq +: functions.map(_.getNodeDefList.asScala.toSeq)
    if (!bodies.exists(_.exists(_.getOp == Normalization))) graph
    else {
      val sums = new LayerNormSums(bodies.head, functions).found
      if (sums.isEmpty) graph else written(graph, sums)
    }
  }

  private def written(graph: GraphDef, sums: Set[(String, String)]): GraphDef = {
    def write(body: String)(node: NodeDef.Builder): Unit = if (sums((body, node.getName))) { node.setOp("Add"); () }
    val builder = graph.toBuilder
    builder.getNodeBuilderList.forEach(write(VariableUses.Main)(_))
    builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
      f.getNodeDefBuilderList.forEach(write(f.getSignature.getName)(_))
    }
    builder.build()
  }

  /** A node and the function that it is in. */
  final private case class At(body: String, node: NodeDef) {
    def op: String = node.getOp
    def input(index: Int): String = node.getInput(index)

    /** Its two operands, in both orders. */
    def operands: Seq[(String, String)] = Seq((input(0), input(1)), (input(1), input(0)))
  }
}

final private class LayerNormSums(main: Seq[NodeDef], functions: Seq[FunctionDef]) {
  import LayerNormSums._

  private val byName = functions.map(f => f.getSignature.getName -> f).toMap
  private lazy val uses = new VariableUses(main, functions)
  private val nodes: Map[(String, String), At] =
    (main.map(At(VariableUses.Main, _)) ++ functions.flatMap { f =>
      f.getNodeDefList.asScala.map(At(f.getSignature.getName, _))
    }).map(at => (at.body, at.node.getName) -> at).toMap

  private val callers: Map[String, Seq[At]] = nodes.values.toSeq
    .filter(at => Calls(at.op))
    .flatMap(at => VariableUses.functionsOf(at.node).map(_ -> at))
    .groupMap(_._1)(_._2)

  /** The sums, by function and name. */
  def found: Set[(String, String)] =
    nodes.values.filter(at => at.op == "AddV2" && !isOffset(at)).map(at => (at.body, at.node.getName)).toSet

  /** Whether a sum has no scaled, normalized values, or is one of a scale and an offset that are vectors. */
  private def isOffset(sum: At): Boolean = {
    val scaled = for {
      (scaled, offset) <- sum.operands
      product <- sources(sum.body, scaled) if product.op == "Mul"
      (values, scale) <- product.operands if sources(product.body, values).exists(isNormalized)
    } yield (shape(product.body, scale), shape(sum.body, offset))
    scaled.forall { case (scale, offset) => scale.exists(_.getDimCount == 1) && scale == offset }
  }

  private def isNormalized(at: At): Boolean =
    at.op == "Reshape" && sources(at.body, at.input(0)).exists(_.op == Normalization)

  /** The shape of a constant or a variable. */
  private def shape(body: String, tensor: String): Option[TensorShapeProto] = sources(body, tensor).map(shape) match {
    case Seq(first, others @ _*) if others.forall(_ == first) => first
    case _                                                    => None
  }

  private def shape(at: At): Option[TensorShapeProto] = at.op match {
    case "Const"                         => Some(at.node.getAttrOrThrow("value").getTensor.getTensorShape)
    case "Placeholder" if isWeight(at)   => declared(at)
    case variable if Variables(variable) => declared(at)
    case "ReadVariableOp" if at.node.getInputCount > 0 => variable(at).flatMap(declared)
    case _                                             => None
  }

  /** Whether a placeholder stands for a constant in a file beside the graph. */
  private def isWeight(at: At): Boolean = at.node.containsAttr(TfGraph.OffsetAttribute)

  private def declared(at: At): Option[TensorShapeProto] = Option(at.node.getAttrMap.get("shape")).map(_.getShape)

  private def variable(read: At): Option[At] = {
    val variables = uses.of(read.body, read.node).reads.toSeq
    if (variables.size == 1) nodes.get((VariableUses.Main, variables.head)) else None
  }

  /** What computes a tensor, seen through copies and calls, which TensorFlow removes before it fuses. */
  private def sources(body: String, tensor: String, through: Set[(String, String)] = Set.empty): Seq[At] = {
    val place = (body, TensorName.operation(tensor))
    def on(body: String, tensor: String) = sources(body, tensor, through + place)
    nodes.get(place) match {
      case _ if through(place)             => Nil
      case Some(at) if at.op == "Identity" => on(body, at.input(0))
      case Some(at) if Calls(at.op)        => returned(at, TensorName.split(tensor)._2).flatMap((on _).tupled)
      case Some(at)                        => Seq(at)
      case None                            => fed(body, place._2).flatMap((on _).tupled)
    }
  }

  /** What a call's function gives at a place, in the function. */
  private def returned(call: At, index: Int): Seq[(String, String)] = for {
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
