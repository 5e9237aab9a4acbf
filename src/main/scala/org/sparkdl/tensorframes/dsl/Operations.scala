package org.sparkdl.tensorframes.dsl

import scala.annotation.varargs

import org.sparkdl.runtime.DType

/** Creates operations. In Scala they are imported with `org.sparkdl.tensorframes.dsl._`; in Java they are static
  * methods of [[Operations]], which take dtypes by their names ("float64").
  *
  * Axes may be negative, counted from the last.
  */
trait OperationFunctions {

  /** A dimension of any size. */
  val Unknown: Long = -1L

  /** A value that is fed, by the column of its name unless another is named. */
  def placeholder[T](dims: Long*)(implicit element: Element[T]): Operation = placeholderOf(element.dtype, dims)
  @varargs def placeholder(dtype: String, dims: Long*): Operation = placeholderOf(DType.fromName(dtype), dims)

  /** A constant of the value's own type (Float stays Float): an element, or nested `Seq`s, arrays or lists. */
  def constant(value: Any): Operation = Literal.of(value).operation

  /** A value to combine an operation with, as Scala converts it implicitly: it takes the operation's dtype where
    * nothing is lost. For Java: `x.plus(value(1))`.
    */
  def value(value: Any): Operand = Literal.of(value)

  def zeros[T](dims: Long*)(implicit element: Element[T]): Operation = zerosOf(element, dims)
  @varargs def zeros(dtype: String, dims: Long*): Operation = zerosOf(Element.named(dtype), dims)
  def ones[T](dims: Long*)(implicit element: Element[T]): Operation = onesOf(element, dims)
  @varargs def ones(dtype: String, dims: Long*): Operation = onesOf(Element.named(dtype), dims)

  /** A tensor of that shape, the same value everywhere. */
  def fill[T](dims: Seq[Long], value: T)(implicit element: Element[T]): Operation =
    filled("Fill", dims, element.dtype, value)

  def identity(x: Operation): Operation = Factory.unary("Identity", "Identity", x)
  def abs(x: Operation): Operation = Factory.unary("Abs", "Abs", x)
  def sqrt(x: Operation): Operation = Factory.unary("Sqrt", "Sqrt", x)
  def square(x: Operation): Operation = Factory.unary("Square", "Square", x)
  def exp(x: Operation): Operation = Factory.unary("Exp", "Exp", x)
  def log(x: Operation): Operation = Factory.unary("Log", "Log", x)
  def minimum(x: Operation, y: Operand): Operation = Factory.binary("Minimum", "Minimum", x, y.matching(x.dtype))
  def maximum(x: Operation, y: Operand): Operation = Factory.binary("Maximum", "Maximum", x, y.matching(x.dtype))

  /** Converts to another dtype. */
  def cast[T](x: Operation)(implicit element: Element[T]): Operation = castTo(x, element.dtype)
  def cast(x: Operation, dtype: String): Operation = castTo(x, DType.fromName(dtype))

  /** The product of matrices, or of batches of them (more than two dimensions). */
  def matMul(a: Operation, b: Operation, transposeA: Boolean = false, transposeB: Boolean = false): Operation =
    if (Seq(a, b).forall(_.shape.exists(_.size == 2)))
      product("MatMul", "transpose_a", "transpose_b", a, b, transposeA, transposeB)
    else product("BatchMatMulV2", "adj_x", "adj_y", a, b, transposeA, transposeB)

  /** The sum over some axes, or over all when none is given. */
  @varargs def reduceSum(x: Operation, axes: Int*): Operation = reduced("Sum", x, axes)
  @varargs def reduceMin(x: Operation, axes: Int*): Operation = reduced("Min", x, axes)
  @varargs def reduceMax(x: Operation, axes: Int*): Operation = reduced("Max", x, axes)
  @varargs def reduceMean(x: Operation, axes: Int*): Operation = reduced("Mean", x, axes)

  /** The position of the smallest value along an axis, as int64. */
  def argMin(x: Operation, axis: Int): Operation = along("ArgMin", x, axis)
  def argMax(x: Operation, axis: Int): Operation = along("ArgMax", x, axis)

  /** The same values with one more dimension, of size one. */
  def expandDims(x: Operation, axis: Int): Operation = {
    val at = Factory.int(axis.toLong, "ExpandDims/dim")
    Factory("ExpandDims", "ExpandDims", Seq(x, at), Map("T" -> x.dtype, "Tdim" -> DType.Int64))
  }

  /** The sums of the rows of `x` that have the same number in `ids`, for the numbers 0 until `count`. */
  def unsortedSegmentSum(x: Operation, ids: Operation, count: Int): Operation = {
    val types = Map("T" -> x.dtype, "Tindices" -> ids.dtype, "Tnumsegments" -> DType.Int64)
    val number = Factory.int(count.toLong, "UnsortedSegmentSum/num_segments")
    Factory("UnsortedSegmentSum", "UnsortedSegmentSum", Seq(x, ids, number), types)
  }

  /** Operations made within get names that begin with this one: "layer/add". In another thread it has no effect. */
  def scope[T](name: String)(body: => T): T = {
    Operation.check(name)
    NameScope.within(name)(body)
  }

  private def placeholderOf(dtype: DType, dims: Seq[Long]) = Factory.placeholder(dtype, dims, "Placeholder", None)

  private def zerosOf(element: Element[_], dims: Seq[Long]) = filled("zeros", dims, element.dtype, element.zero)
  private def onesOf(element: Element[_], dims: Seq[Long]) = filled("ones", dims, element.dtype, element.one)

  private def filled(name: String, dims: Seq[Long], dtype: DType, value: Any): Operation = {
    val one = Factory.constant(Literal(dtype, Nil, Seq(value)), s"$name/value")
    Factory("Fill", name, Seq(Factory.ints(dims, s"$name/dims"), one), Map("T" -> dtype, "index_type" -> DType.Int64))
  }

  private def castTo(x: Operation, dtype: DType): Operation =
    Factory("Cast", "Cast", Seq(x), Map("SrcT" -> x.dtype, "DstT" -> dtype))

  private def product(
      op: String,
      first: String,
      second: String,
      a: Operation,
      b: Operation,
      transposeA: Boolean,
      transposeB: Boolean
  ): Operation =
    Factory(op, "MatMul", Seq(a, b), Map("T" -> a.dtype, first -> transposeA, second -> transposeB))

  private def reduced(op: String, x: Operation, axes: Seq[Int]): Operation = {
    val over = if (axes.isEmpty) x.dims.indices else axes
    val indices = Factory.ints(over.map(_.toLong), s"$op/reduction_indices")
    Factory(op, op, Seq(x, indices), Map("T" -> x.dtype, "Tidx" -> DType.Int64))
  }

  private def along(op: String, x: Operation, axis: Int): Operation = {
    val dimension = Factory.int(axis.toLong, s"$op/dimension")
    Factory(op, op, Seq(x, dimension), Map("T" -> x.dtype, "Tidx" -> DType.Int64, "output_type" -> DType.Int64))
  }
}

/** [[OperationFunctions]] as static methods, for Java. */
object Operations extends OperationFunctions
