package org.sparkdl.model

import org.tensorflow.proto.TensorShapeProto

import org.sparkdl.runtime.TfGraph

/** Sums of normalized values that TensorFlow would take for layer normalizations.
  *
  * For oneDNN it fuses what it finds in `normalized * scale + offset`, as an AddV2, and the fused operation refuses
  * what is not one vector each: the sum of tf_keras' layer normalization without an offset and something else, or of
  * one over several axes. An Add gives the same and is not fused. Python's `_bundles/graph/layer_norms.py` does the
  * same for bundles.
  */
final private[model] class LayerNormSums(sources: TensorSources) {
  import LayerNormSums._

  def found: Iterable[PlacedNode] = sources.all.filter(at => at.op == "AddV2" && !isOffset(at))

  /** Whether a sum has no scaled, normalized values, or is one of a scale and an offset that are vectors. */
  private def isOffset(sum: PlacedNode): Boolean = {
    val scaled = for {
      (scaled, offset) <- sum.operands
      product <- sources.of(sum.body, scaled) if product.op == "Mul"
      (values, scale) <- product.operands if sources.of(product.body, values).exists(isNormalized)
    } yield (shape(product.body, scale), shape(sum.body, offset))
    scaled.forall { case (scale, offset) => scale.exists(_.getDimCount == 1) && scale == offset }
  }

  private def isNormalized(at: PlacedNode): Boolean =
    at.op == "Reshape" && sources.of(at.body, at.input(0)).exists(_.op == Normalization)

  /** The shape of a constant or a variable. */
  private def shape(body: String, tensor: String): Option[TensorShapeProto] =
    sources.of(body, tensor).map(shape) match {
      case Seq(first, others @ _*) if others.forall(_ == first) => first
      case _                                                    => None
    }

  private def shape(at: PlacedNode): Option[TensorShapeProto] = at.op match {
    case "Const"                         => Some(at.node.getAttrOrThrow("value").getTensor.getTensorShape)
    case "Placeholder" if isWeight(at)   => declared(at)
    case variable if Variables(variable) => declared(at)
    case "ReadVariableOp" if at.node.getInputCount > 0 => variable(at).flatMap(declared)
    case _                                             => None
  }

  /** Whether a placeholder stands for a constant in a file beside the graph. */
  private def isWeight(at: PlacedNode): Boolean = at.node.containsAttr(TfGraph.OffsetAttribute)

  private def declared(at: PlacedNode): Option[TensorShapeProto] =
    Option(at.node.getAttrMap.get("shape")).map(_.getShape)

  private def variable(read: PlacedNode): Option[PlacedNode] = {
    val variables = sources.uses.of(read.body, read.node).reads.toSeq
    if (variables.size == 1) sources.main(variables.head) else None
  }
}

private[model] object LayerNormSums {

  /** Without an operation of this type there are no such sums. */
  val Normalization = "FusedBatchNormV3"

  private val Variables = Set("VarHandleOp", "VariableV2", "Variable")
}
