package org.sparkdl.graph

import org.tensorflow.proto.{DataType, GraphDef, NodeDef}

import org.sparkdl.runtime.{DType, GraphDefs}

/** Builds the block graph. Nodes of the row graph keep their names; those added between them get new ones. */
private[graph] final class BlockNodes(row: RowGraph) {
  private val names = new FreshNames(row.nodes.map(_.getName))
  private val graph = GraphDef.newBuilder().setVersions(row.graphDef.getVersions).setLibrary(row.graphDef.getLibrary)

  def put(node: NodeDef): Unit = { graph.addNode(node); () }

  /** Adds a node with a name like `near`; returns its only output. */
  def add(op: String, near: String, inputs: Seq[String], attributes: Map[String, Any]): String = {
    val name = names(near)
    put(GraphDefs.node(op, name, inputs, attributes))
    name
  }

  /** Adds a node with a name like `near` instead of its own; returns that name. */
  def putRenamed(node: NodeDef, near: String): String = {
    val name = names(near)
    put(node.toBuilder.setName(name).build())
    name
  }

  /** Adds a constant vector of integers, or a scalar; returns its output. */
  def ints(near: String, values: Seq[Long], dtype: DataType = DataType.DT_INT32, scalar: Boolean = false): String = {
    val elements = if (dtype == DataType.DT_INT64) DType.Int64 else DType.Int32
    val value = GraphDefs.tensor(elements, if (scalar) Nil else Seq(values.size.toLong), values)
    add("Const", near, Nil, Map("dtype" -> dtype, "value" -> value))
  }

  /** Adds the shape of a tensor from dimension `from` on; `size` = -1 for all dimensions that follow. */
  def dims(near: String, ref: String, dtype: DataType, from: Long, size: Long, out: DataType): String = {
    val shape = add("Shape", near, Seq(ref), Map("T" -> dtype, "out_type" -> out))
    val bounds = Seq(ints(near, Seq(from)), ints(near, Seq(size)))
    add("Slice", near, shape +: bounds, Map("T" -> out, "Index" -> DataType.DT_INT32))
  }

  /** Repeats, for each row, a value that is the same for all rows.
    *
    * @param rows
    *   their number: an int32 vector of one element
    */
  def spread(arg: Arg, rows: String, near: String): String = {
    val int = DataType.DT_INT32
    val shape = add("Shape", near, Seq(arg.ref), Map("T" -> arg.dtype, "out_type" -> int))
    val zero = ints(near, Seq(0), scalar = true)
    val target = add("ConcatV2", near, Seq(rows, shape, zero), Map("N" -> 2L, "T" -> int, "Tidx" -> int))
    add("BroadcastTo", near, Seq(arg.ref, target), Map("T" -> arg.dtype, "Tidx" -> int))
  }

  def build(): GraphDef = graph.build()
}
