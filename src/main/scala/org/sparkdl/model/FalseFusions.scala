package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{FunctionDef, GraphDef, NodeDef}

/** Writes what TensorFlow would fuse into something else, when it optimizes a graph for the processor, as operations
  * that give the same and that it does not look for.
  */
private[model] object FalseFusions {

  private val Concerned = TensorSources.Calls + LayerNormSums.Normalization + LeakyMaxima.Maximum

  /** Whether a graph with operations of these types may have such things. */
  def mayHave(types: Iterable[String]): Boolean = types.exists(Concerned)

  /** The graph without them; itself, if it has none. */
  def without(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    val types = (graph.getNodeList.asScala.iterator ++ functions.iterator.flatMap(_.getNodeDefList.asScala))
      .map(_.getOp)
      .filter(Concerned)
      .toSet
    lazy val sources = new TensorSources(graph)
    val sums = if (types(LayerNormSums.Normalization)) new LayerNormSums(sources).found else Nil
    val maxima = if (types(LeakyMaxima.Maximum)) new LeakyMaxima(sources).found else Nil
    if (sums.isEmpty && maxima.isEmpty) graph
    else rewritten(graph, sums.map(_.place).toSet, maxima.map(_.place).toSet)
  }

  private def rewritten(graph: GraphDef, sums: Set[(String, String)], maxima: Set[(String, String)]): GraphDef = {
    def nodes(body: String, before: Iterable[NodeDef]) = before.flatMap { node =>
      val place = (body, node.getName)
      if (sums(place)) Seq(node.toBuilder.setOp("Add").build())
      else if (maxima(place)) negated(node, isFunction = body != VariableUses.Main)
      else Seq(node)
    }.asJava
    val builder = graph.toBuilder
    builder.clearNode().addAllNode(nodes(VariableUses.Main, graph.getNodeList.asScala))
    builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
      val body = f.getSignature.getName
      val after = nodes(body, f.getNodeDefList.asScala.toVector)
      f.clearNodeDef().addAllNodeDef(after)
      // The results of a function name the outputs of its nodes.
      val ends = maxima.collect { case (`body`, name) => s"$name:z:0" -> s"$name:y:0" }.toMap
      if (ends.nonEmpty) renamed(f, ends)
    }
    builder.build()
  }

  /** -minimum(-x, -y) under the name of maximum(x, y). */
  private def negated(maximum: NodeDef, isFunction: Boolean): Seq[NodeDef] = {
    val name = maximum.getName
    val (operands, controls) = VariableUses.inputs(maximum).splitAt(2)
    def output(node: NodeDef, of: String) = if (isFunction) s"${node.getName}:$of:0" else node.getName
    def node(op: String, name: String, inputs: Seq[String]) =
      maximum.toBuilder.setOp(op).setName(name).clearInput().addAllInput(inputs.asJava).build()
    val negatives =
      operands.zip(Seq("left", "right")).map { case (x, side) => node("Neg", s"$name/negative_$side", Seq(x)) }
    val least = node("Minimum", s"$name/minimum", negatives.map(output(_, "y")))
    negatives ++ Seq(least, node("Neg", name, output(least, "z") +: controls))
  }

  private def renamed(function: FunctionDef.Builder, ends: Map[String, String]): Unit = {
    function.getNodeDefBuilderList.forEach { node =>
      (0 until node.getInputCount).foreach(i => ends.get(node.getInput(i)).foreach(node.setInput(i, _)))
    }
    function.getRetMap.asScala.toVector.foreach { case (key, tensor) =>
      ends.get(tensor).foreach(function.putRet(key, _))
    }
  }
}
