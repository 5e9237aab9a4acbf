package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.expressions.{Expression, GetStructField, Literal, RuntimeReplaceable}
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.types.{DataType, NullType, StructType}

import org.sparkdl.application.ModelApplication
import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ImageTypes
import org.sparkdl.tensor.TensorSpec

/** A model under the name of a SQL function: its arguments are a column per input, or one struct whose fields are
  * found by the names of the inputs. With a seed, arguments after these are the row's key.
  *
  * Which of them it is shows only when the argument's type is known, after analysis; Spark then replaces the function
  * by a [[ModelCall]] on columns before it optimizes anything, so that of a struct only the fields in use are read.
  *
  * @param fields
  *   from the name of an input to the name of its field, for inputs whose fields are called otherwise
  */
case class ModelFunction(
    name: String,
    application: ModelApplication,
    fields: Map[String, String],
    arguments: Seq[Expression]
) extends Expression
    with RuntimeReplaceable {

  override def children: Seq[Expression] = arguments
  override def nullable: Boolean = true
  override def dataType: DataType = application.dataType
  override def prettyName: String = name
  override def toString: String = s"$name(${arguments.mkString(", ")})"

  /** The call; null for the word NULL, which has no type that could be fed. */
  override lazy val replacement: Expression =
    if (arguments.take(application.inputs.size).exists(a => a.resolved && a.dataType == NullType))
      Literal(null, dataType)
    else ModelCall(application, columns)

  override def checkInputDataTypes(): TypeCheckResult = replacement.checkInputDataTypes()

  /** One per input, where the arguments fit, and with a seed the row's key. */
  private def columns: Seq[Expression] = arguments match {
    case argument +: key if argument.resolved && (key.isEmpty || application.seed.isDefined) =>
      argument.dataType match {
        case struct: StructType if !isImage(struct) => fieldsOf(argument, struct) ++ key
        case _                                      => arguments
      }
    case _ => arguments
  }

  /** Whether the struct is the value of the only input. */
  private def isImage(struct: StructType): Boolean = application.inputs match {
    case Seq(input) => application.model.imageOf(input).isDefined && ImageTypes.isStruct(struct)
    case _          => false
  }

  private def fieldsOf(argument: Expression, struct: StructType): Seq[Expression] = {
    val positions = application.inputs.map(input => input -> positionOf(fieldName(input), struct))
    val missing = positions.collect { case (input, -1) => input }
    if (missing.nonEmpty) refuse(missing, struct)
    positions.map { case (input, i) => GetStructField(argument, i, Some(fieldName(input))) }
  }

  /** Names of inputs differ in case where those of fields may not, so one that is the same in all letters comes
    * first.
    */
  private def positionOf(field: String, struct: StructType): Int = {
    val same = SQLConf.get.resolver
    val exact = struct.indexWhere(_.name == field)
    if (exact >= 0) exact else struct.indexWhere(f => same(f.name, field))
  }

  private def fieldName(input: TensorSpec): String = fields.getOrElse(input.name, input.name)

  private def refuse(missing: Seq[TensorSpec], struct: StructType): Nothing = {
    val expected = missing.map(i => s"'${fieldName(i)}' (for input ${i.name}: ${i.typeString})").mkString(", ")
    val present = struct.map(f => s"${f.name} ${f.dataType.simpleString}").mkString(", ")
    throw new SchemaMismatchException(
      s"Function '$name' of model '${application.model.name}' finds its inputs in its struct argument by name: the " +
        s"struct lacks $expected. It has: $present. Rename them (named_struct), give a column per input, or register " +
        "the function with the names of the fields."
    )
  }

  override protected def withNewChildrenInternal(newChildren: IndexedSeq[Expression]): ModelFunction =
    copy(arguments = newChildren)
}
