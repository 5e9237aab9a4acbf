package org.sparkdl.model

import org.tensorflow.proto.NodeDef

import org.sparkdl.files.Sha256
import org.sparkdl.runtime.{DType, GraphDefs}

/** Operations that set the random number generators of a SavedModel, which are variables, to states that follow from
  * a seed.
  */
private[sparkdl] object GeneratorSeeding {

  /** The tensor that takes the seed. */
  val Seed: String = s"${RandomDraws.Seed}:0"

  private val End = s"${RandomDraws.Seed}/done"

  /** The tensor to fetch in order to set them. */
  val Done: String = s"$End:0"

  /** Whether a graph with these operations, by name and type, has generators. */
  def isNeeded(operations: Seq[(String, String)]): Boolean =
    operations.exists { case (name, op) => op == VariableHandles.Operation && DrawingNodes.isGenerator(name) }

  /** The operations for the generators of a serialized MetaGraphDef: a serialized GraphDef. */
  def of(metaGraph: Array[Byte]): Array[Byte] = assignments(variables(metaGraph))

  private def variables(metaGraph: Array[Byte]): Seq[NodeDef] =
    VariableHandles.of(metaGraph).filter(v => DrawingNodes.isGenerator(v.getName))

  /** Operations that set the variables when `Done` is fetched. */
  private def assignments(variables: Seq[NodeDef]): Array[Byte] = {
    val graph = new GraphDefs().placeholder(RandomDraws.Seed, DType.Int64, Seq(2L))
    val set = variables.zipWithIndex.map { case (variable, i) =>
      val near = s"${RandomDraws.Seed}/$i"
      graph.node(VariableHandles.Operation, s"$near/state", Nil, VariableHandles.attributes(variable))
      graph.tensor(s"$near/salt", DType.Int64, Seq(2L), salt(variable))
      graph.node("AddV2", s"$near/two", Seq(RandomDraws.Seed, s"$near/salt"), Map("T" -> DType.Int64))
      val dtype = variable.getAttrOrThrow("dtype") // older Kerases have unsigned numbers
      val types = Map("SrcT" -> DType.Int64, "DstT" -> dtype)
      graph.node("Cast", s"$near/value", Seq(value(graph, near, variable)), types)
      graph.node("AssignVariableOp", s"$near/set", Seq(s"$near/state", s"$near/value"), Map("dtype" -> dtype))
      s"^$near/set"
    }
    graph.node("Identity", End, RandomDraws.Seed +: set, Map("T" -> DType.Int64))
    graph.toBytes
  }

  /** A Keras generator has two numbers; one of TensorFlow has two counters and a key. */
  private def value(graph: GraphDefs, near: String, variable: NodeDef): String =
    if (variable.getAttrOrThrow("shape").getShape.getDimList.stream().allMatch(_.getSize == 2)) s"$near/two"
    else {
      graph.tensor(s"$near/axis", DType.Int32, Nil, Seq(0)).tensor(s"$near/counter", DType.Int64, Seq(1L), Seq(0L))
      val types = Map("N" -> 2L, "T" -> DType.Int64, "Tidx" -> DType.Int32)
      graph.node("ConcatV2", s"$near/three", Seq(s"$near/counter", s"$near/two", s"$near/axis"), types)
      s"$near/three"
    }

  /** Two numbers by which a generator differs from others. */
  private def salt(variable: NodeDef): Seq[Long] = {
    val hash = Sha256.of(VariableHandles.sharedName(variable).getBytes("UTF-8"))
    Seq(hash.take(16), hash.slice(16, 32)).map(java.lang.Long.parseUnsignedLong(_, 16) >>> 2)
  }
}
