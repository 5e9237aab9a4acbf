package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{FunctionDef, GraphDef, NodeDef}

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.graph.{Groups, Reached}
import org.sparkdl.runtime.TensorName

/** SavedModels that change variables when they are called: counters, states of recurrent layers.
  *
  * A row must not depend on the rows before it, nor on executors and batches. So every call begins with the values
  * that were saved, and what it would write to them is discarded. Python's `_bundles/graph/state_writes.py` does the
  * same.
  */
private[model] object StateWrites {
  import VariableUses._

  /** The graph of the SavedModel in `files`, without the nodes that `tensors` need and that write variables. */
  def without(files: GraphFiles, graph: GraphDef, tensors: Seq[String]): GraphDef = {
    val uses = new VariableUses(needed(graph, tensors), graph.getLibrary.getFunctionList.asScala.toVector)
    val removed = uses.bodies.map { case (body, nodes) =>
      body -> nodes.filter(n => isWrite(n) && changed(uses, body, n).nonEmpty).map(_.getName).toSet
    }
    if (removed.values.forall(_.isEmpty)) graph
    else {
      uses.bodies.keys.foreach(refuseReadAgain(files, uses, _))
      rewritten(graph, removed)
    }
  }

  /** The variables that a node changes, but for generators, which the engine sets before each run. */
  private def changed(uses: VariableUses, body: String, node: NodeDef): Set[String] =
    uses.of(body, node).writes.filterNot(DrawingNodes.isGenerator)

  /** The nodes that tensors need. */
  private def needed(graph: GraphDef, tensors: Seq[String]): Seq[NodeDef] = {
    val nodes = graph.getNodeList.asScala.toVector
    val byName = nodes.map(n => n.getName -> n).toMap
    val needed = Reached.from(tensors.map(TensorName.operation)) { name =>
      byName.get(name).toSeq.flatMap(inputs).map(TensorName.operation)
    }
    nodes.filter(n => needed(n.getName))
  }

  /** Refuses a call that reads a variable after changing it: the changed value would be missing. */
  private def refuseReadAgain(files: GraphFiles, uses: VariableUses, body: String): Unit = {
    val nodes = uses.bodies(body)
    val byName = nodes.map(n => n.getName -> n).toMap
    val users = Groups.of(nodes.flatMap(n => inputs(n).map(i => TensorName.operation(i) -> n.getName)))
    for {
      node <- nodes
      variables = changed(uses, body, node) if variables.nonEmpty
      downstream = Reached.from(users.getOrElse(node.getName, Nil))(users.getOrElse(_, Nil)).toSeq.map(byName)
      later <- downstream ++ Some(node).filter(isLoop)
      variable <- variables.intersect(uses.of(body, later).reads)
    } throw new InvalidModelException(
      s"Cannot read the SavedModel '${files.location}': a call changes the variable '$variable' and reads it again " +
        s"(operation '${later.getName}'). The result of a row must not depend on the rows before it. Let the model " +
        "compute with the new value itself and not with the variable."
    )
  }

  private def rewritten(graph: GraphDef, removed: Map[String, Set[String]]): GraphDef = {
    val builder = graph.toBuilder.clearNode()
    builder.addAllNode(remaining(graph.getNodeList.asScala.toVector, removed(Main)).asJava)
    builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
      removeNodes(f, removed(f.getSignature.getName))
    }
    builder.build()
  }

  private def remaining(nodes: Seq[NodeDef], removed: Set[String]): Seq[NodeDef] =
    if (removed.isEmpty) nodes
    else
      nodes.filterNot(n => removed(n.getName)).map { node =>
        val kept = inputs(node).filterNot(i => i.startsWith("^") && removed(TensorName.operation(i)))
        node.toBuilder.clearInput().addAllInput(kept.asJava).build()
      }

  /** Removes nodes from a function, and their ends from its control outputs. */
  private def removeNodes(function: FunctionDef.Builder, removed: Set[String]): Unit = if (removed.nonEmpty) {
    val nodes = remaining(function.getNodeDefList.asScala.toVector, removed)
    function.clearNodeDef().addAllNodeDef(nodes.asJava)
    val ends = function.getControlRetMap.asScala.collect { case (end, node) if removed(node) => end }.toSet
    ends.foreach(function.removeControlRet(_))
    val signature = function.getSignatureBuilder
    val done = signature.getControlOutputList.asScala.filterNot(ends).toSeq
    signature.clearControlOutput().addAllControlOutput(done.asJava)
    ()
  }
}
