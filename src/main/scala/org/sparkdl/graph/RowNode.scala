package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{AttrValue, DataType, NodeDef}

import org.sparkdl.runtime.{GraphDefs, TensorName}

/** An input of a node.
  *
  * @param ref
  *   the tensor, which has the same name in the row graph and in the block graph
  * @param rows
  *   whether it has the dimension of rows in front in the block graph; if not, it is the same for all rows
  * @param shape
  *   of one row's value
  */
private[graph] final case class Arg(ref: String, rows: Boolean, shape: Option[Seq[Long]], dtype: DataType) {
  def rank: Option[Int] = shape.map(_.size)

  /** The shape when all dimensions are known. */
  def fixed: Option[Seq[Long]] = shape.filter(!_.exists(_ < 0))
}

/** One node of a row graph that depends on rows, and the means to write its counterpart for blocks. */
private[graph] final class RowNode(node: NodeDef, val args: IndexedSeq[Arg], row: RowGraph, block: BlockNodes) {

  def refs: Seq[String] = args.map(_.ref)

  /** Whether all inputs but the first are the same for all rows. */
  def onlyFirst: Boolean = args.head.rows && args.tail.forall(!_.rows)

  def attr(name: String): Option[AttrValue] = Option(node.getAttrOrDefault(name, null))
  def flag(name: String): Boolean = attr(name).exists(_.getB)
  def long(name: String, default: Long): Long = attr(name).fold(default)(_.getI)

  /** The integers of input `i`, when they are constant. */
  def constant(i: Int): Option[Seq[Long]] = if (args(i).rows) None else row.constant(args(i).ref)

  /** The shape of the node's first output for one row. */
  def outputShape: Option[Seq[Long]] = row.shape(node.getName)
  def outputType: DataType = row.dtype(node.getName)

  /** The same operation on other inputs, with some attributes changed. */
  def keep(inputs: Seq[String], changed: (String, Any)*): Option[NodeDef] = {
    val changedNode = node.toBuilder.clearInput()
    (inputs ++ controlInputs).foreach(changedNode.addInput)
    changed.foreach { case (key, value) => changedNode.putAttr(key, GraphDefs.attribute(value)) }
    Some(changedNode.build())
  }

  /** Another operation in its place, under its name. */
  def replace(op: String, inputs: Seq[String], attributes: (String, Any)*): Option[NodeDef] =
    Some(GraphDefs.node(op, node.getName, inputs ++ controlInputs, attributes.toMap))

  /** Adds a helper node; returns its only output. */
  def add(op: String, inputs: Seq[String], attributes: (String, Any)*): String =
    block.add(op, near, inputs, attributes.toMap)

  /** Adds a helper node, which was built under this node's name; returns its first output. */
  def addNode(helper: NodeDef): String = block.putRenamed(helper, near)

  /** A constant in the node's place. */
  def constantNode(values: Seq[Long], dtype: DataType, scalar: Boolean): Option[NodeDef] =
    replace("Identity", Seq(ints(values, dtype, scalar)), "T" -> dtype)

  private def near = s"${node.getName}/rows"
  private def controlInputs: Seq[String] = node.getInputList.asScala.toVector.filter(TensorName.isControl)

  /** A constant vector of integers, or a scalar. */
  def ints(values: Seq[Long], dtype: DataType = DataType.DT_INT32, scalar: Boolean = false): String =
    block.ints(near, values, dtype, scalar)

  /** Concatenates vectors of integers. */
  def concat(vectors: Seq[String], dtype: DataType): String =
    add(
      "ConcatV2",
      vectors :+ ints(Seq(0), scalar = true),
      "N" -> vectors.size.toLong,
      "T" -> dtype,
      "Tidx" -> DataType.DT_INT32
    )

  /** The shape of a tensor of the block graph from dimension `from` on; `size` = -1 for all of them. */
  def dims(ref: String, dtype: DataType, from: Long, size: Long, out: DataType = DataType.DT_INT32): String =
    block.dims(near, ref, dtype, from, size, out)

  /** The number of rows as a vector of one element. */
  def rowCount(arg: Arg, dtype: DataType = DataType.DT_INT32): String = dims(arg.ref, arg.dtype, 0, 1, dtype)

  /** The tensor with as many dimensions of size one, after that of rows, as broadcasting to `rank` needs. */
  def aligned(arg: Arg, rank: Int): String =
    if (!arg.rows) arg.ref
    else
      (arg.shape.get.size until rank).foldLeft(arg.ref) { (ref, _) =>
        add("ExpandDims", Seq(ref, ints(Seq(1), scalar = true)), "T" -> arg.dtype, "Tdim" -> DataType.DT_INT32)
      }

  /** The tensor with the dimension of rows in front, copied for each row if it has none yet. */
  def spread(arg: Arg): String =
    if (arg.rows) arg.ref else block.spread(arg, rowCount(args.find(_.rows).get), near)
}
