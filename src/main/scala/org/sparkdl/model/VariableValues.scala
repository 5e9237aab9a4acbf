package org.sparkdl.model

import org.tensorflow.proto.NodeDef

import org.sparkdl.runtime.GraphDefs

/** Operations that read and set the large variables of a SavedModel, by which one session takes them from another.
  *
  * @param count
  *   of the variables; the tensors are those of the first, the second and so on
  */
final private[sparkdl] case class VariableValues(graphDef: Array[Byte], count: Int) {

  /** Whether the variable has a value: a scalar boolean. */
  def isSet(variable: Int): String = s"${VariableValues.scope(variable)}/isSet:0"

  def value(variable: Int): String = s"${VariableValues.scope(variable)}/value:0"

  /** The tensor that takes another value. */
  def newValue(variable: Int): String = s"${VariableValues.scope(variable)}/new:0"

  /** The tensor to fetch in order to set the variable: the new value. */
  def set(variable: Int): String = s"${VariableValues.scope(variable)}/set:0"
}

private[sparkdl] object VariableValues {

  /** For a serialized MetaGraphDef; None if it has no large variables. */
  def of(metaGraph: Array[Byte]): Option[VariableValues] = {
    val large = VariableHandles.of(metaGraph).filter(VariableHandles.isLarge)
    val graph = new GraphDefs()
    large.zipWithIndex.foreach { case (variable, i) => add(graph, variable, scope(i)) }
    if (large.isEmpty) None else Some(VariableValues(graph.toBytes, large.size))
  }

  private def scope(variable: Int) = s"sparkdl_variables/$variable"

  private def add(graph: GraphDefs, variable: NodeDef, scope: String): Unit = {
    val dtype = variable.getAttrOrThrow("dtype")
    val handle = s"$scope/handle"
    graph.node(VariableHandles.Operation, handle, Nil, VariableHandles.attributes(variable))
    graph.node("VarIsInitializedOp", s"$scope/isSet", Seq(handle))
    graph.node("ReadVariableOp", s"$scope/value", Seq(handle), Map("dtype" -> dtype))
    graph.node("Placeholder", s"$scope/new", Nil, Map("dtype" -> dtype))
    graph.node("AssignVariableOp", s"$scope/assign", Seq(handle, s"$scope/new"), Map("dtype" -> dtype))
    graph.node("Identity", s"$scope/set", Seq(s"$scope/new", s"^$scope/assign"), Map("T" -> dtype))
    ()
  }
}
