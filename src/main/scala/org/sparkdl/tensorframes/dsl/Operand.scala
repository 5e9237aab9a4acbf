package org.sparkdl.tensorframes.dsl

import scala.annotation.unused
import scala.jdk.CollectionConverters._
import scala.language.implicitConversions

import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.DType

/** What an operation may be combined with: another operation, or a value, which becomes a constant. */
trait Operand {

  /** The operation; a value takes the other side's dtype where that can hold every value of its own type. */
  private[dsl] def matching(other: DType): Operation
}

object Operand {
  implicit def value[T](value: T)(implicit @unused constant: Constant[T]): Operand =
    Literal.of(value)
}

/** A value: its own dtype, its shape, and its elements, row-major. */
final private[dsl] case class Literal(dtype: DType, shape: Seq[Long], elements: Seq[Any]) extends Operand {

  override private[dsl] def matching(other: DType): Operation =
    if (Literal.WiderTypes.get(dtype).exists(_.contains(other))) copy(dtype = other).operation else operation

  private[dsl] def operation: Operation = Factory.constant(this, "Const")
}

private[dsl] object Literal {

  /** The types that hold all values of a type without rounding. */
  private val WiderTypes: Map[DType, Set[DType]] = Map(
    DType.Int8 -> Set(DType.Int16, DType.Int32, DType.Int64, DType.Float32, DType.Float64),
    DType.Int16 -> Set(DType.Int32, DType.Int64, DType.Float32, DType.Float64),
    // Scala's whole numbers are Ints unless marked otherwise, so they go with floats, as in Scala itself
    DType.Int32 -> Set(DType.Int64, DType.Float32, DType.Float64),
    DType.Float32 -> Set(DType.Float64)
  )

  /** A value: elements, or `Seq`s, arrays or `java.util.List`s of values. */
  def of(value: Any): Literal = {
    val elements = flat(value).toVector
    val dtypes = elements.map(dtype).distinct
    if (dtypes.size != 1)
      fail(
        value,
        if (dtypes.isEmpty) "no elements, so no dtype: use zeros[T]"
        else s"elements of types ${dtypes.mkString(", ")}"
      )
    val dims = shape(value)
    if (dims.product != elements.size || !isEven(value, dims)) fail(value, "parts of different lengths")
    Literal(dtypes.head, dims, elements)
  }

  private def parts(value: Any): Option[Iterable[Any]] = value match {
    case s: Iterable[_]           => Some(s)
    case a: Array[_]              => Some(a.toSeq)
    case l: java.lang.Iterable[_] => Some(l.asScala)
    case _                        => None
  }

  private def flat(value: Any): Iterator[Any] = parts(value).fold(Iterator(value))(_.iterator.flatMap(flat))

  private def shape(value: Any): Seq[Long] =
    parts(value).fold(Seq.empty[Long])(p => p.size.toLong +: p.headOption.toSeq.flatMap(shape))

  private def isEven(value: Any, dims: Seq[Long]): Boolean = (parts(value), dims) match {
    case (Some(p), n +: rest) => p.size == n && p.forall(isEven(_, rest))
    case (None, Seq())        => true
    case _                    => false
  }

  private def dtype(element: Any): DType = element match {
    case _: Double  => DType.Float64
    case _: Float   => DType.Float32
    case _: Int     => DType.Int32
    case _: Long    => DType.Int64
    case _: Short   => DType.Int16
    case _: Byte    => DType.Int8
    case _: Boolean => DType.Bool
    case _: String  => DType.Str
    case other      => fail(other, "a type that tensors do not have")
  }

  private def fail(value: Any, why: String): Nothing = {
    val kind = if (value == null) "null" else value.getClass.getSimpleName
    throw new SparkDLException(
      s"A constant cannot be made from this $kind: it has $why. Expected numbers, booleans or strings of one type, or " +
        "sequences of equal lengths of them."
    )
  }
}
