package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{DataType, FunctionDef, NodeDef}

import org.sparkdl.runtime.TensorName

/** What a node does with variables, which are named by their nodes in the graph itself. */
final private[model] case class VariableUse(reads: Set[String], writes: Set[String])

/** Which variables the nodes of a graph and of its functions read and write, through every call; Python's
  * `_bundles/graph/variable_uses.py` has the same.
  *
  * @param main
  *   those nodes of the graph itself that matter
  */
final private[model] class VariableUses(main: Seq[NodeDef], functions: Seq[FunctionDef]) {
  import VariableUses._

  private val byName = functions.map(f => f.getSignature.getName -> f).toMap

  /** The nodes of the graph itself (`Main`) and of each function. */
  val bodies: Map[String, Seq[NodeDef]] =
    byName.map { case (name, f) => name -> f.getNodeDefList.asScala.toVector } + (Main -> main)

  /** The variables that a node or an argument of a body stands for. */
  private val variablesAt = mutable.Map.empty[(String, String), Set[String]].withDefaultValue(Set.empty)

  while (propagate()) ()

  /** What a node of a body does, including the functions that it calls. */
  def of(body: String, node: NodeDef): VariableUse = of(body, node, Set.empty)

  private def of(body: String, node: NodeDef, within: Set[String]): VariableUse = {
    val called = functionsOf(node).filter(f => byName.contains(f) && !within(f))
    if (called.nonEmpty) {
      val uses = for (f <- called; n <- bodies(f)) yield of(f, n, within + f)
      VariableUse(uses.flatMap(_.reads).toSet, uses.flatMap(_.writes).toSet)
    } else if (PassThrough(node.getOp)) VariableUse(Set.empty, Set.empty)
    else {
      val variables = inputs(node).filterNot(_.startsWith("^")).flatMap(variablesOf(body, _)).toSet
      if (isWrite(node)) VariableUse(Set.empty, variables) else VariableUse(variables, Set.empty)
    }
  }

  private def variablesOf(body: String, tensor: String): Set[String] = variablesAt(
    (body, TensorName.operation(tensor))
  )

  /** Carries variables one step further, along edges and into functions; returns whether any of them was new. */
  private def propagate(): Boolean = {
    val before = variablesAt.valuesIterator.map(_.size).sum
    for ((body, nodes) <- bodies; node <- nodes; (place, variables) <- steps(body, node) if variables.nonEmpty)
      variablesAt(place) = variablesAt(place) ++ variables
    variablesAt.valuesIterator.map(_.size).sum > before
  }

  private def steps(body: String, node: NodeDef): Seq[((String, String), Set[String])] = {
    val here = (body, node.getName)
    if (isVariable(node)) Seq(here -> Set(node.getName))
    else if (PassThrough(node.getOp)) inputs(node).map(i => here -> variablesOf(body, i))
    else
      for {
        f <- functionsOf(node)
        arguments = byName.get(f).toSeq.flatMap(_.getSignature.getInputArgList.asScala)
        (argument, tensor) <- arguments.zip(inputs(node).drop(if (Branching(node.getOp)) 1 else 0))
      } yield (f, argument.getName) -> variablesOf(body, tensor)
  }
}

private[model] object VariableUses {

  /** The body of the graph itself. */
  val Main = ""

  private val Writing = "Assign(Add|Sub)?VariableOp|Resource(Scatter|StridedSlice|Apply|Sparse)\\w+".r
  private val PassThrough = Set("Identity", "Enter", "RefEnter", "Switch", "Merge", "Exit", "NextIteration")
  private val Branching = Set("If", "StatelessIf", "Case", "StatelessCase") // their first input is not an argument
  private val Loops = Set("While", "StatelessWhile")

  /** Whether an operation changes a variable, and does nothing else. */
  def isWrite(node: NodeDef): Boolean = Writing.pattern.matcher(node.getOp).matches

  /** Whether a node runs its functions again and again. */
  def isLoop(node: NodeDef): Boolean = Loops(node.getOp)

  def inputs(node: NodeDef): Seq[String] = node.getInputList.asScala.toVector

  /** The names of the functions that a node calls. */
  def functionsOf(node: NodeDef): Seq[String] = node.getAttrMap.values.asScala.toVector.flatMap { value =>
    if (value.hasFunc) Seq(value.getFunc.getName) else value.getList.getFuncList.asScala.map(_.getName)
  }

  private def isVariable(node: NodeDef): Boolean =
    node.getOp == "VarHandleOp" || (node.getOp == "Placeholder" && node.containsAttr("dtype") &&
      node.getAttrOrThrow("dtype").getType == DataType.DT_RESOURCE)
}
