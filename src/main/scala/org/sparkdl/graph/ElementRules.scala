package org.sparkdl.graph

import org.sparkdl.graph.Rules.{Rule, commonRank, table}

/** Operations whose outputs depend, element by element, on the elements at the same place. */
private[graph] object ElementRules {

  private val Unary =
    """Abs Neg Sign Square Sqrt Rsqrt Exp Expm1 Log Log1p Reciprocal Inv Sin Cos Tan Asin Acos Atan Sinh Cosh Tanh
      Asinh Acosh Atanh Sigmoid Softplus Softsign Relu Relu6 LeakyRelu Elu Selu Floor Ceil Round Rint IsNan IsInf
      IsFinite LogicalNot Invert Erf Erfc Erfinv Ndtri Lgamma Digamma Cast Identity StopGradient PreventGradient
      Snapshot ZerosLike OnesLike CheckNumerics Bucketize StringLower StringUpper StringLength StringStrip
      StringToNumber StringToHashBucket StringToHashBucketFast StringToHashBucketStrong AsString EncodeBase64
      DecodeBase64 StaticRegexReplace StaticRegexFullMatch UnicodeTranscode UnicodeScript"""

  private val Broadcasting =
    """Add AddV2 Sub Mul Div RealDiv TruncateDiv FloorDiv Mod FloorMod TruncateMod Pow Maximum Minimum
      SquaredDifference DivNoNan MulNoNan Xdivy Xlogy Xlog1py Atan2 Equal NotEqual Less LessEqual Greater GreaterEqual
      LogicalAnd LogicalOr BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift SelectV2"""

  /** Operations whose inputs after the first are scalars. */
  private val WithScalars = "RegexReplace RegexFullMatch Substr ClipByValue"

  lazy val byOp: Map[String, Rule] =
    table(Unary, n => n.keep(n.refs)) ++
      table(Broadcasting, broadcasting) ++
      table(WithScalars, n => if (n.onlyFirst && n.args.tail.forall(_.rank.contains(0))) n.keep(n.refs) else None) ++
      table("AddN", sameShape) ++
      table("StringJoin", sameShapeOrScalar) ++
      table("Select", select) ++
      table("EnsureShape", ensureShape)

  private val broadcasting: Rule = n => {
    // the old behaviour of Equal: a single false where shapes do not match
    val lenient = n.attr("incompatible_shape_error").exists(!_.getB)
    if (lenient) None else commonRank(n).flatMap(rank => n.keep(n.args.map(n.aligned(_, rank))))
  }

  private val sameShape: Rule = n => n.keep(n.args.map(n.spread))

  private val sameShapeOrScalar: Rule = n =>
    commonRank(n).flatMap { rank =>
      val constants = n.args.map(a => !a.rows && a.rank.contains(0))
      if (n.args.zip(constants).exists { case (a, constant) => !constant && !a.rank.contains(rank) }) None
      else n.keep(n.args.zip(constants).map { case (a, constant) => if (constant) a.ref else n.spread(a) })
    }

  /** A condition is a scalar, or has the shape of both values, or (no rule) is a vector along their first dimension.
    */
  private val select: Rule = n =>
    commonRank(n).filter(rank => n.args.head.rank.exists(r => r == 0 || r == rank)).flatMap { rank =>
      n.replace("SelectV2", n.args.map(n.aligned(_, rank)), "T" -> n.outputType)
    }

  private val ensureShape: Rule = n =>
    n.attr("shape").filter(!_.getShape.getUnknownRank).flatMap { attr =>
      val dims = (0 until attr.getShape.getDimCount).map(attr.getShape.getDim(_).getSize)
      n.keep(n.refs, "shape" -> (-1L +: dims))
    }
}
