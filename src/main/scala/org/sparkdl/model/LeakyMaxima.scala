package org.sparkdl.model

import java.nio.ByteOrder

import org.tensorflow.proto.{DataType, TensorProto}

import org.sparkdl.graph.Reached

/** Maxima of values and their multiples that TensorFlow would take for leaky ReLUs.
  *
  * For oneDNN it fuses `maximum(x, alpha * x)` whatever alpha is, although a leaky ReLU gives the larger one only for
  * alpha <= 1: of x and its double it gives the smaller. Python's `_bundles/graph/leaky_maxima.py` does the same for
  * bundles.
  */
final private[model] class LeakyMaxima(sources: TensorSources) {
  import LeakyMaxima._

  def found: Iterable[PlacedNode] = sources.all.filter { at =>
    at.op == Maximum && at.operands.exists { case (multiple, values) =>
      val wanted = sources.of(at.body, values).map(_.place).toSet
      sources.of(at.body, multiple).exists(isTaken(_, wanted))
    }
  }

  /** Whether a node may compute a multiple of the values from these places, and by more than 1. */
  private def isTaken(node: PlacedNode, values: Set[(String, String)]): Boolean = {
    val factors =
      if (node.op == "Mul") node.operands.collect {
        case (input, factor) if sources.of(node.body, input).exists(at => values(at.place)) =>
          sources.of(node.body, factor)
      }.flatten
      else Nil
    if (factors.nonEmpty && factors.forall(_.op == "Const"))
      factors.exists(factor => !isAtMostOne(factor.node.getAttrOrThrow("value").getTensor))
    else reaches(node, values)
  }

  private def reaches(node: PlacedNode, values: Set[(String, String)]): Boolean = {
    val reached = Reached.from(Seq(node)) { at =>
      if (Linear(at.op)) inputs(at).flatMap(sources.of(at.body, _)) else Nil
    }
    Linear(node.op) && reached.exists(at => at != node && values(at.place))
  }

  private def inputs(at: PlacedNode): Seq[String] = VariableUses.inputs(at.node).filterNot(_.startsWith("^"))
}

private[model] object LeakyMaxima {

  /** Without an operation of this type there are no such maxima. */
  val Maximum = "Maximum"

  /** What TensorFlow may turn into a product with a constant before it looks for leaky ReLUs. */
  private val Linear = Set("Mul", "RealDiv", "Div", "Add", "AddV2", "AddN", "Sub", "Neg")

  /** Whether a factor is a number up to 1, or several numbers, which are not taken for a leaky ReLU. */
  private def isAtMostOne(factor: TensorProto): Boolean = {
    val shape = factor.getTensorShape
    val elements = (0 until shape.getDimCount).map(shape.getDim(_).getSize).product
    elements != 1 || number(factor).exists(_ <= 1)
  }

  private def number(factor: TensorProto): Option[Double] = {
    val content = factor.getTensorContent.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN)
    factor.getDtype match {
      case DataType.DT_FLOAT if content.hasRemaining          => Some(content.getFloat.toDouble)
      case DataType.DT_FLOAT if factor.getFloatValCount > 0   => Some(factor.getFloatVal(0).toDouble)
      case DataType.DT_DOUBLE if content.hasRemaining         => Some(content.getDouble)
      case DataType.DT_DOUBLE if factor.getDoubleValCount > 0 => Some(factor.getDoubleVal(0))
      case _                                                  => None
    }
  }
}
