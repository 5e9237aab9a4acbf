package org.sparkdl.model

import java.util.{List => JList}

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.TensorProto

import org.sparkdl.errors.SettingsException
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.tensor.TensorSpec

/** A value that a user gives to a placeholder: booleans, whole numbers (BigInt), numbers (Double) or texts,
  * row-major.
  */
final private[model] case class ConstantValue(shape: Seq[Long], elements: Seq[Any]) {
  import ConstantValue._

  /** Why it cannot be the value of a tensor of this type and shape; None when it can. */
  def problem(dtype: DType, dims: Option[Seq[Long]]): Option[String] =
    elements
      .find(!isA(dtype, _))
      .map(e => s"${display(e)} is ${kind(e)}")
      .orElse(elements.find(!fits(dtype, _)).map(e => s"${display(e)} is out of its range"))
      .orElse(
        if (dims.forall(matches)) None else Some(s"it has the shape ${TensorSpec.shapeString(Some(shape))}")
      )

  private def matches(dims: Seq[Long]): Boolean =
    dims.size == shape.size && dims.zip(shape).forall { case (d, s) => d < 0 || d == s }

  /** The value as a tensor of a type for which [[problem]] is None. */
  def tensor(dtype: DType): TensorProto =
    GraphDefs.tensor(dtype, shape, if (floats(dtype)) elements.map(double) else elements)
}

private[model] object ConstantValue {

  /** Reads a value from Scala, Java or Python: an element, or nested sequences, lists or arrays of elements, each as
    * long as its neighbours.
    */
  def of(name: String, value: Any): ConstantValue = itemsOf(value) match {
    case None => ConstantValue(Nil, Seq(element(name, value)))
    case Some(items) =>
      val parts = items.map(of(name, _))
      val shapes = parts.map(_.shape).distinct
      if (shapes.size > 1)
        fail(
          name,
          s"its parts have different lengths: ${shapes.map(s => TensorSpec.shapeString(Some(s))).mkString(", ")}"
        )
      ConstantValue(items.size.toLong +: shapes.headOption.getOrElse(Nil), parts.flatMap(_.elements))
  }

  private def itemsOf(value: Any): Option[Seq[Any]] = value match {
    case list: JList[_]  => Some(list.asScala.toVector)
    case items: Seq[_]   => Some(items)
    case items: Array[_] => Some(items.toSeq)
    case _               => None
  }

  private def element(name: String, value: Any): Any = value match {
    case v: Boolean              => v
    case v: Byte                 => BigInt(v.toInt)
    case v: Short                => BigInt(v.toInt)
    case v: Int                  => BigInt(v)
    case v: Long                 => BigInt(v)
    case v: BigInt               => v
    case v: java.math.BigInteger => BigInt(v)
    case v: Float                => v.toDouble
    case v: Double               => v
    case v: String               => v
    case other =>
      fail(name, s"got ${Option(other).fold("null")(_.getClass.getName)}")
  }

  private val floats = Set[DType](DType.Float32, DType.Float64, DType.Float16, DType.BFloat16)

  /** Numbers that JSON does not have. */
  private val SpecialNumbers = Map(
    "NaN" -> Double.NaN,
    "Infinity" -> Double.PositiveInfinity,
    "-Infinity" -> Double.NegativeInfinity
  )

  private def double(value: Any): Double = value match {
    case v: BigInt => v.toDouble
    case v: String => SpecialNumbers(v)
    case v         => v.asInstanceOf[Double]
  }

  private def isA(dtype: DType, value: Any): Boolean = value match {
    case _: Boolean => dtype == DType.Bool
    case _: BigInt  => dtype != DType.Bool && dtype != DType.Str
    case _: Double  => floats(dtype)
    case v: String  => dtype == DType.Str || floats(dtype) && SpecialNumbers.contains(v)
    case _          => false
  }

  private def fits(dtype: DType, value: Any): Boolean = value match {
    case v: BigInt if !floats(dtype)            => v >= least(dtype) && v <= most(dtype)
    case v: BigInt                              => fits(dtype, v.toDouble)
    case v: Double if !v.isInfinite && !v.isNaN => v.abs <= largest(dtype)
    case _                                      => true
  }

  private val unsigned = Set[DType](DType.UInt8, DType.UInt16, DType.UInt32, DType.UInt64)
  private def least(dtype: DType) = if (unsigned(dtype)) BigInt(0) else -(BigInt(1) << (8 * dtype.size - 1))
  private def most(dtype: DType) = (BigInt(1) << (8 * dtype.size - (if (unsigned(dtype)) 0 else 1))) - 1
  private def largest(dtype: DType) = dtype match {
    case DType.Float64 => Double.MaxValue
    case DType.Float16 => 65504.0
    case _             => Float.MaxValue.toDouble
  }

  private def display(value: Any): String = value match {
    case v: String => s"'$v'"
    case v         => v.toString
  }

  private def kind(value: Any): String = value match {
    case _: Boolean => "a boolean"
    case _: BigInt  => "a whole number"
    case _: Double  => "a number with a fraction"
    case _          => "a text"
  }

  private def fail(name: String, why: String): Nothing = throw new SettingsException(
    s"Cannot make a constant for '$name': $why. Expected a boolean, a number or a text, or lists of them, all as long as " +
      "their neighbours."
  )
}
