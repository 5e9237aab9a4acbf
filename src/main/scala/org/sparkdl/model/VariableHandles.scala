package org.sparkdl.model

import scala.collection.mutable
import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{MetaGraphDef, NodeDef}

import org.sparkdl.runtime.{DType, TfGraph}

/** The variables of a SavedModel: nodes of its graph that are handles of them. */
private[model] object VariableHandles {
  val Operation = "VarHandleOp"

  /** One handle of each variable of a serialized MetaGraphDef. */
  def of(metaGraph: Array[Byte]): Seq[NodeDef] = {
    val seen = mutable.Set.empty[String]
    val nodes = MetaGraphDef.parseFrom(metaGraph).getGraphDef.getNodeList.asScala.toVector
    nodes.filter(node => node.getOp == Operation && seen.add(sharedName(node)))
  }

  /** What sessions call the variable. */
  def sharedName(handle: NodeDef): String = Option(handle.getAttrMap.get("shared_name"))
    .map(_.getS.toStringUtf8)
    .filter(_.nonEmpty)
    .getOrElse(handle.getName)

  /** The attributes of another handle of the same variable. */
  def attributes(handle: NodeDef): Map[String, Any] = {
    val same = Seq("container", "dtype", "shape").filter(handle.containsAttr).map(a => a -> handle.getAttrOrThrow(a))
    same.toMap[String, Any] + ("shared_name" -> sharedName(handle))
  }

  /** Whether a node is the handle of a variable that should be in memory once. */
  def isLarge(node: NodeDef): Boolean = node.getOp == Operation && {
    val shape = node.getAttrOrThrow("shape").getShape
    val sizes = (0 until shape.getDimCount).map(shape.getDim(_).getSize)
    val bytes = DType.fromCode(node.getAttrOrThrow("dtype").getTypeValue).filter(_ != DType.Str).map(_.size)
    !shape.getUnknownRank && sizes.forall(_ >= 0) && bytes.exists(_ * sizes.product >= TfGraph.LargeBytes)
  }
}
