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
  *   the nodes of the graph itself, those that are asked about
  */
final private[model] class VariableUses(main: Seq[NodeDef], functions: Seq[FunctionDef]) {
  import VariableUses._

  private val byName = functions.map(f => f.getSignature.getName -> f).toMap

  /** The nodes of the graph itself (`Main`) and of each function. */
  val bodies: Map[String, Seq[NodeDef]] =
    byName.map { case (name, f) => name -> f.getNodeDefList.asScala.toSeq } + (Main -> main)

  /** By body, and node or argument. */
  private val meant = mutable.Map.empty[(String, String), Set[String]].withDefaultValue(Set.empty)

  while (spread()) ()

  /** What a node of a body does, with the functions that it calls. */
  def of(body: String, node: NodeDef): VariableUse = of(body, node, Set.empty)

  private def of(body: String, node: NodeDef, within: Set[String]): VariableUse = {
    val called = functionsOf(node).filter(f => byName.contains(f) && !within(f))
    if (called.nonEmpty) {
      val uses = for (f <- called; n <- bodies(f)) yield of(f, n, within + f)
      VariableUse(uses.flatMap(_.reads).toSet, uses.flatMap(_.writes).toSet)
    } else if (passes(node)) VariableUse(Set.empty, Set.empty)
    else {
      val given_ = inputs(node).filterNot(_.startsWith("^")).flatMap(meaning(body, _)).toSet
      if (isWrite(node)) VariableUse(Set.empty, given_) else VariableUse(given_, Set.empty)
    }
  }

  private def meaning(body: String, tensor: String): Set[String] = meant((body, TensorName.operation(tensor)))

  /** Carries meanings one step on, along edges and into functions; whether any was new. */
  private def spread(): Boolean = {
    val before = meant.valuesIterator.map(_.size).sum
    for ((body, nodes) <- bodies; node <- nodes; (place, variables) <- steps(body, node) if variables.nonEmpty)
      meant(place) = meant(place) ++ variables
    meant.valuesIterator.map(_.size).sum > before
  }

  private def steps(body: String, node: NodeDef): Seq[((String, String), Set[String])] = {
    val own = (body, node.getName)
    if (isVariable(node)) Seq(own -> Set(node.getName))
    else if (isWrite(node)) // TensorFlow 1 takes what writes for the variable
      inputs(node).take(1).map(i => own -> meaning(body, i))
    else if (passes(node)) inputs(node).map(i => own -> meaning(body, i))
    else
      for {
        f <- functionsOf(node)
        arguments = byName.get(f).toSeq.flatMap(_.getSignature.getInputArgList.asScala)
        (argument, tensor) <- arguments.zip(inputs(node).drop(if (Choosing(node.getOp)) 1 else 0))
      } yield (f, argument.getName) -> meaning(body, tensor)
  }
}

private[model] object VariableUses {

  /** The body of the graph itself. */
  val Main = ""

  private val Writing =
    ("Assign(Add|Sub)?VariableOp|Resource(Scatter|StridedSlice|Apply|Sparse)\\w+" +
      "|Assign(Add|Sub)?|Scatter(Nd)?(Update|Add|Sub|Mul|Div|Min|Max)").r // of TensorFlow 1's variables
  private val Handles = Set("VarHandleOp", "VariableV2", "Variable")
  private val Passing = Set("Identity", "Enter", "Switch", "Merge", "Exit", "NextIteration") // of a resource
  private val Choosing = Set("If", "StatelessIf", "Case", "StatelessCase") // their first input is no argument
  private val Loops = Set("While", "StatelessWhile")

  /** Whether all that an operation does is to change a variable. */
  def isWrite(node: NodeDef): Boolean = Writing.matches(node.getOp)

  /** Whether a node runs its functions again and again. */
  def isLoop(node: NodeDef): Boolean = Loops(node.getOp)

  def inputs(node: NodeDef): Seq[String] = node.getInputList.asScala.toSeq

  /** The names of the functions that a node calls. */
  def functionsOf(node: NodeDef): Seq[String] = node.getAttrMap.values.asScala.toSeq.flatMap { value =>
    if (value.hasFunc) Seq(value.getFunc.getName) else value.getList.getFuncList.asScala.map(_.getName)
  }

  private def isVariable(node: NodeDef): Boolean =
    Handles(node.getOp) || (node.getOp == "Placeholder" && isResource(node, "dtype"))

  /** Whether what a node gives is the variable that it was given, and not its value. */
  private def passes(node: NodeDef): Boolean = {
    val own = node.getOp.stripPrefix("Ref")
    Passing(own) && (own != node.getOp || isResource(node, "T"))
  }

  private def isResource(node: NodeDef, key: String): Boolean =
    node.containsAttr(key) && node.getAttrOrThrow(key).getType == DataType.DT_RESOURCE
}
