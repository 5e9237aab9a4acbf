package org.sparkdl.tensorframes.dsl

import scala.annotation.{implicitNotFound, unused}

import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.DType

/** A Scala type as the element type of tensors. */
@implicitNotFound(
  "Tensors have no elements of type ${T}: use Double, Float, Int, Long, Short, Byte, Boolean or String."
)
final class Element[T] private (
    private[dsl] val dtype: DType,
    private[dsl] val zero: Any,
    private[dsl] val one: Any
)

object Element {
  implicit val double: Element[Double] = new Element(DType.Float64, 0.0, 1.0)
  implicit val float: Element[Float] = new Element(DType.Float32, 0f, 1f)
  implicit val int: Element[Int] = new Element(DType.Int32, 0, 1)
  implicit val long: Element[Long] = new Element(DType.Int64, 0L, 1L)
  implicit val short: Element[Short] = new Element(DType.Int16, 0, 1)
  implicit val byte: Element[Byte] = new Element(DType.Int8, 0, 1)
  implicit val boolean: Element[Boolean] = new Element(DType.Bool, false, true)
  implicit val string: Element[String] = new Element(DType.Str, "", "")

  /** The element type of a dtype's name. */
  private[dsl] def named(dtype: String): Element[_] = {
    val all = Seq(double, float, int, long, short, byte, boolean, string)
    all.find(_.dtype.name == dtype).getOrElse {
      throw new SparkDLException(s"No values of dtype '$dtype': expected one of ${all.map(_.dtype).mkString(", ")}.")
    }
  }
}

/** Evidence that a value of type `T` is a constant: an element, or sequences or arrays of elements of any depth. */
@implicitNotFound("${T} is not a constant: use numbers, booleans, strings, or Seqs or Arrays of them.")
final class Constant[-T] private ()

object Constant {
  private val any = new Constant[Any]
  implicit def element[T](implicit @unused element: Element[T]): Constant[T] = any
  implicit def seq[T](implicit @unused of: Constant[T]): Constant[Seq[T]] = any
  implicit def array[T](implicit @unused of: Constant[T]): Constant[Array[T]] = any
}
