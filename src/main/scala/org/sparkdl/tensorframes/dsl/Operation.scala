package org.sparkdl.tensorframes.dsl

import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** An operation of a TensorFlow graph, with its output's dtype and shape.
  *
  * It is an immutable description; `Program.of` makes a graph of those that are to be fetched. Any number of threads
  * may create, combine and use them. Its operators have names for Java: `plus`, `minus`, `times`, `div`, `lessThan`
  * and so on.
  *
  * @param name
  *   what it is called in the graph, where the second one with the same name gets "_1"; the name of its column when
  *   it is fetched
  * @param shape
  *   as TensorFlow infers it; -1 = unknown dimension, None = unknown rank
  */
final class Operation private[dsl] (
    private[dsl] val op: String,
    private[dsl] val inputs: Seq[Operation],
    private[dsl] val attributes: Map[String, Any],
    private[dsl] val scope: Option[NameScope],
    private[dsl] val column: Option[String],
    val name: String,
    val dtype: DType,
    val shape: Option[Seq[Long]]
) extends Operand {

  /** The dimensions of the shape; -1 = unknown. */
  def dims: Seq[Long] = shape.getOrElse(throw new SparkDLException(s"The rank of operation $this is unknown."))

  /** The same operation under another name. */
  def named(name: String): Operation = {
    Operation.check(name)
    new Operation(op, inputs, attributes, scope, column, name, dtype, shape)
  }

  def plus(other: Operand): Operation = math(if (dtype == DType.Str) "Add" else "AddV2", "add", other)
  def minus(other: Operand): Operation = math("Sub", "sub", other)
  def times(other: Operand): Operation = math("Mul", "mul", other)

  /** The quotient; of whole numbers without the remainder, as in Scala. */
  def div(other: Operand): Operation = math("Div", "div", other)
  def lessThan(other: Operand): Operation = math("Less", "Less", other)
  def lessOrEqual(other: Operand): Operation = math("LessEqual", "LessEqual", other)
  def greaterThan(other: Operand): Operation = math("Greater", "Greater", other)
  def greaterOrEqual(other: Operand): Operation = math("GreaterEqual", "GreaterEqual", other)
  def equalTo(other: Operand): Operation = math("Equal", "Equal", other)
  def notEqualTo(other: Operand): Operation = math("NotEqual", "NotEqual", other)
  def and(other: Operand): Operation = logic("LogicalAnd", other)
  def or(other: Operand): Operation = logic("LogicalOr", other)

  def +(other: Operand): Operation = plus(other)
  def -(other: Operand): Operation = minus(other)
  def *(other: Operand): Operation = times(other)
  def /(other: Operand): Operation = div(other)
  def <(other: Operand): Operation = lessThan(other)
  def <=(other: Operand): Operation = lessOrEqual(other)
  def >(other: Operand): Operation = greaterThan(other)
  def >=(other: Operand): Operation = greaterOrEqual(other)
  def ===(other: Operand): Operation = equalTo(other)
  def =!=(other: Operand): Operation = notEqualTo(other)
  def &&(other: Operand): Operation = and(other)
  def ||(other: Operand): Operation = or(other)
  def unary_- : Operation = Factory.unary("Neg", "Neg", this)
  def unary_! : Operation = Factory("LogicalNot", "LogicalNot", Seq(this))

  override def toString: String = s"$name: $dtype ${TensorSpec.shapeString(shape)}"

  override private[dsl] def matching(other: DType): Operation = this

  private def math(op: String, name: String, other: Operand) = Factory.binary(op, name, this, other.matching(dtype))
  private def logic(op: String, other: Operand) = Factory(op, op, Seq(this, other.matching(dtype)))
}

private[dsl] object Operation {
  private val Valid = "[A-Za-z0-9.][A-Za-z0-9_.\\\\/>-]*"

  def check(name: String): Unit = if (!name.matches(Valid))
    throw new SparkDLException(
      s"'$name' cannot be the name of an operation: expected letters, digits, '_', '.', '-' and '/', the first a letter " +
        "or digit. Rename the column afterwards if it needs another name."
    )
}
