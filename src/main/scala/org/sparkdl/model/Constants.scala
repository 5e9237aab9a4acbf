package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, NodeDef}

import org.sparkdl.errors.{SchemaMismatchException, SettingsException}
import org.sparkdl.runtime.{DType, GraphDefs, NativeRuntime, TensorName, TfGraph}
import org.sparkdl.tensor.TensorSpec

/** A graph in which constants have taken the place of some placeholders, and the names of their operations. */
final private[model] case class ConstantGraph(files: GraphFiles, operations: Set[String])

/** Gives placeholders of a graph the values that a user sets.
  *
  * The graph is written anew with constants in their place, so that it is another model for the engine, which folds
  * what depends on them, and nothing has to be fed.
  */
private[model] object Constants {

  /** The model with the constants of `options`; inputs that have one are no longer inputs. */
  def applyTo(runtime: NativeRuntime, model: ModelDefinition, options: ReadOptions): ModelDefinition =
    if (options.constants.isEmpty) model
    else {
      val bound = inGraph(model.name, model.graph, model.inputs, options)
      model.image.filter(i => bound.operations(TensorName.operation(model.input(i.input).tensor))).foreach { i =>
        fail(s"model '${model.name}'", i.input, "it is the input that takes images")
      }
      model.copy(
        graph = bound.files,
        inputs = model.inputs.filterNot(i => bound.operations(TensorName.operation(i.tensor))),
        outputs = shaped(runtime, bound.files, model.outputs)
      )
    }

  /** Outputs whose rank depended on a placeholder, with the shapes that they have with the constants. */
  private def shaped(runtime: NativeRuntime, files: GraphFiles, outputs: Seq[TensorSpec]): Seq[TensorSpec] =
    if (outputs.forall(_.shape.isDefined)) outputs
    else {
      val graph =
        if (files.isSavedModel) TfGraph.fromBytes(runtime, GraphNodes.graphOf(files).toByteArray)
        else TfGraph.outline(runtime, files.path)
      try
        outputs.map { o =>
          o.copy(shape = o.shape.orElse(graph.output(o.tensor).flatMap(t => Option(t.shape).map(_.toSeq))))
        }
      finally graph.close()
    }

  /** The graph of a model with the constants of `options`.
    *
    * @param inputs
    *   whose names stand for their tensors
    */
  def inGraph(model: String, files: GraphFiles, inputs: Seq[TensorSpec], options: ReadOptions): ConstantGraph =
    if (options.constants.isEmpty) ConstantGraph(files, Set.empty)
    else {
      val before = GraphNodes.graphOf(files)
      val nodes = nodesOf(new NamedPlaceholders(s"model '$model'", before, inputs), options.constants, options.inputs)
      ConstantGraph(StoredGraphs.store(files, replaced(before, nodes)), nodes.keySet)
    }

  /** The graph of a program with constants.
    *
    * @param fed
    *   placeholders that columns feed
    */
  def inProgram(graph: GraphDef, constants: Map[String, Any], fed: Seq[String]): GraphDef =
    replaced(graph, nodesOf(new NamedPlaceholders("the program", graph, Nil), constants, fed))

  /** What takes the place of the placeholders, by their names. */
  private def nodesOf(
      placeholders: NamedPlaceholders,
      constants: Map[String, Any],
      fed: Seq[String]
  ): Map[String, Seq[NodeDef]] = {
    val values = constants.map { case (name, value) => placeholders.operation(name) -> (name -> value) }
    placeholders.refuseFed(values.map { case (op, (name, _)) => op -> name }, fed)
    values.map { case (op, (name, value)) => op -> placeholders.constant(op, name, value) }
  }

  /** The placeholders of a graph by the names that users have for them.
    *
    * @param owner
    *   what has the graph, in messages
    */
  final private class NamedPlaceholders(owner: String, graph: GraphDef, inputs: Seq[TensorSpec]) {
    private val nodes = new GraphNodes(graph)

    /** The placeholder that is called `name`: an input of the signature, an operation or its tensor. */
    def operation(name: String): String = {
      val op = target(name)
      nodes.operation(op) match {
        case Some(node) if Placeholder.isPlaceholder(node) => op
        case Some(node) =>
          fail(owner, name, s"it is not a placeholder but an operation of type ${node.getOp}; $available")
        case None => fail(owner, name, s"there is no such placeholder; $available")
      }
    }

    def target(name: String): String = TensorName.operation(inputs.find(_.name == name).fold(name)(_.tensor))

    def constant(op: String, name: String, value: Any): Seq[NodeDef] = {
      val placeholder = nodes.placeholder(nodes.operation(op).get)
      val constant = ConstantValue.of(name, value)
      val dtype = placeholder.dtype.getOrElse(
        fail(owner, name, s"it is ${placeholder.typeString}, a type for which sparkdl has no values")
      )
      constant.problem(dtype, placeholder.shape).foreach { why =>
        fail(owner, name, s"expected ${placeholder.typeString}, but $why")
      }
      ConstantNodes.of(op, dtype, constant)
    }

    def refuseFed(constants: Map[String, String], fed: Seq[String]): Unit =
      fed.foreach { input =>
        constants.get(target(input)).foreach { name =>
          throw new SchemaMismatchException(
            s"Input '$input' of $owner is fed by a column and has a constant ('$name'): leave one of them out."
          )
        }
      }

    private def available: String = {
      val placeholders = graph.getNodeList.asScala.filter(Placeholder.isPlaceholder).map(nodes.placeholder).map { p =>
        inputs
          .find(i => TensorName.operation(i.tensor) == p.name)
          .fold(p.toString)(i => s"${i.name}: ${p.typeString}")
      }
      if (placeholders.isEmpty) "there are no placeholders"
      else s"the placeholders are: ${placeholders.mkString("; ")}"
    }
  }

  private def replaced(graph: GraphDef, constants: Map[String, Seq[NodeDef]]): GraphDef = {
    val builder = graph.toBuilder.clearNode()
    graph.getNodeList.forEach(n => constants.getOrElse(n.getName, Seq(n)).foreach(builder.addNode(_)))
    builder.build()
  }

  private def fail(owner: String, name: String, why: String): Nothing = throw new SettingsException(
    s"Cannot give '$name' of $owner a constant: $why."
  )
}

/** The operations that take a placeholder's place. */
private object ConstantNodes {

  /** Protocol buffers hold 16 bit floats as bits; a cast, which TensorFlow computes once, knows how to round. */
  def of(op: String, dtype: DType, value: ConstantValue): Seq[NodeDef] =
    if (dtype == DType.Float16 || dtype == DType.BFloat16) {
      val wide = s"$op/constant"
      Seq(
        constant(wide, DType.Float32, value),
        GraphDefs.node("Cast", op, Seq(wide), Map("SrcT" -> DType.Float32, "DstT" -> dtype))
      )
    } else Seq(constant(op, dtype, value))

  private def constant(name: String, dtype: DType, value: ConstantValue): NodeDef =
    GraphDefs.node("Const", name, Nil, Map("dtype" -> dtype, "value" -> value.tensor(dtype)))
}
