package org.sparkdl.graph

import org.apache.spark.unsafe.Platform
import org.tensorflow.proto.AttrValue

import org.sparkdl.runtime.{DType, GraphDefs, TfTensor}

/** What nodes say of each other: names of tensors ("op", "op:1") and of nodes to wait for ("^op"). */
private[graph] object Refs {

  def isControl(ref: String): Boolean = ref.startsWith("^")

  /** The node that a reference is about. */
  def op(ref: String): String = ref.stripPrefix("^").takeWhile(_ != ':')

  def shapeAttribute(shape: Option[Seq[Long]]): AttrValue =
    AttrValue.newBuilder().setShape(GraphDefs.shape(shape)).build()

  /** The elements of an int32 or int64 tensor. */
  def integers(tensor: TfTensor): Option[Seq[Long]] = tensor.dtype match {
    case DType.Int32 =>
      Some(Seq.tabulate(tensor.elements.toInt)(i => Platform.getInt(null, tensor.address + 4L * i).toLong))
    case DType.Int64 =>
      Some(Seq.tabulate(tensor.elements.toInt)(i => Platform.getLong(null, tensor.address + 8L * i)))
    case _ => None
  }
}

/** Names that a graph does not have yet. */
private[sparkdl] final class FreshNames(taken: Iterable[String]) {
  private val used = taken.to(collection.mutable.Set)

  def apply(wanted: String): String =
    (Iterator(wanted) ++ Iterator.from(1).map(i => s"${wanted}_$i")).find(used.add).get
}
