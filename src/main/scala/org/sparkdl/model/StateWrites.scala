package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{FunctionDef, GraphDef, NodeDef}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.TensorName

/** SavedModels that change variables when they are called: counters, states of recurrent layers.
  *
  * A row must not depend on the rows before it, nor on executors and batches. So every call begins with the values
  * that were saved, and what it would leave in them is not written. Python's `_bundles/graph/state_writes.py` does
  * the same.
  */
private[model] object StateWrites {
  import VariableUses._

  /** The SavedModel in `files`, without what `tensors` need that writes variables. */
  def without(files: GraphFiles, graph: GraphDef, tensors: Seq[String]): GraphFiles = {
    val uses = new VariableUses(needed(graph, tensors), graph.getLibrary.getFunctionList.asScala.toSeq)
    val gone = uses.bodies.map { case (body, nodes) =>
      body -> nodes.filter(n => isWrite(n) && changed(uses, body, n).nonEmpty).map(_.getName).toSet
    }
    if (gone.values.forall(_.isEmpty)) files
    else {
      uses.bodies.keys.foreach(refuseReadAgain(files, uses, _))
      StoredGraphs.store(files, written(graph, gone))
    }
  }

  /** Generators are set by the engine before each run. */
  private def changed(uses: VariableUses, body: String, node: NodeDef): Set[String] =
    uses.of(body, node).writes.filterNot(DrawingNodes.isGenerator)

  /** The nodes that tensors need. */
  private def needed(graph: GraphDef, tensors: Seq[String]): Seq[NodeDef] = {
    val nodes = graph.getNodeList.asScala.toSeq
    val byName = nodes.map(n => n.getName -> n).toMap
    val found =
      reached(tensors.map(TensorName.operation), n => byName.get(n).toSeq.flatMap(inputs).map(TensorName.operation))
    nodes.filter(n => found(n.getName))
  }

  private def reached(from: Seq[String], next: String => Seq[String]): Set[String] = {
    val (found, open) = (mutable.Set.empty[String], mutable.Stack.from(from))
    while (open.nonEmpty) {
      val name = open.pop()
      if (found.add(name)) open.pushAll(next(name))
    }
    found.toSet
  }

  /** The value that a call reads after it has changed it would be missing. */
  private def refuseReadAgain(files: GraphFiles, uses: VariableUses, body: String): Unit = {
    val nodes = uses.bodies(body)
    val byName = nodes.map(n => n.getName -> n).toMap
    val after = nodes.flatMap(n => inputs(n).map(i => TensorName.operation(i) -> n.getName)).groupMap(_._1)(_._2)
    for {
      node <- nodes
      variables = changed(uses, body, node) if variables.nonEmpty
      behind = reached(after.getOrElse(node.getName, Nil), after.getOrElse(_, Nil)).toSeq.map(byName)
      later <- behind ++ Some(node).filter(isLoop)
      variable <- variables.intersect(uses.of(body, later).reads)
    } throw new InvalidModelException(
      s"Cannot read the SavedModel '${files.location}': a call changes the variable '$variable' and reads it again " +
        s"(operation '${later.getName}'). What a row gives must not depend on the rows before it. Let the model " +
        "compute with the new value itself and not with the variable."
    )
  }

  private def written(graph: GraphDef, gone: Map[String, Set[String]]): GraphDef = {
    val made = graph.toBuilder.clearNode()
    made.addAllNode(left(graph.getNodeList.asScala.toSeq, gone(Main)).asJava)
    made.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
      without(f, gone(f.getSignature.getName))
    }
    made.build()
  }

  private def left(nodes: Seq[NodeDef], gone: Set[String]): Seq[NodeDef] =
    if (gone.isEmpty) nodes
    else
      nodes.filterNot(n => gone(n.getName)).map { node =>
        val kept = inputs(node).filterNot(i => i.startsWith("^") && gone(TensorName.operation(i)))
        node.toBuilder.clearInput().addAllInput(kept.asJava).build()
      }

  /** Takes nodes out of a function, and what it says that it has done with them. */
  private def without(function: FunctionDef.Builder, gone: Set[String]): Unit = if (gone.nonEmpty) {
    val nodes = left(function.getNodeDefList.asScala.toSeq, gone)
    function.clearNodeDef().addAllNodeDef(nodes.asJava)
    val ends = function.getControlRetMap.asScala.collect { case (end, node) if gone(node) => end }.toSet
    ends.foreach(function.removeControlRet(_))
    val signature = function.getSignatureBuilder
    val done = signature.getControlOutputList.asScala.filterNot(ends).toSeq
    signature.clearControlOutput().addAllControlOutput(done.asJava)
    ()
  }
}
