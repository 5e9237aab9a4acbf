package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.catalyst.analysis.TypeCheckResult
import org.apache.spark.sql.catalyst.expressions.{Expression, GetStructField, Literal, RuntimeReplaceable}
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.types.{DataType, NullType, StructType}

import org.sparkdl.application.{ModelApplication, StructFields}
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
        case struct: StructType if StructFields.feed(application, struct) => fieldsOf(argument, struct) ++ key
        case _                                                            => arguments
      }
    case _ => arguments
  }

  private def fieldsOf(argument: Expression, struct: StructType): Seq[Expression] = {
    val who =
      if (name == application.model.name) s"Model '$name'"
      else s"Function '$name' of model '${application.model.name}'"
    val remedy =
      "Rename them (named_struct), give a column per input, or register the function with the names of the fields."
    val of = s"$who finds its inputs in its struct argument by name"
    StructFields.positions(of, application.inputs, struct, fieldName, remedy).map { case (input, i) =>
      GetStructField(argument, i, Some(fieldName(input)))
    }
  }

  private def fieldName(input: TensorSpec): String = fields.getOrElse(input.name, input.name)

  override protected def withNewChildrenInternal(newChildren: IndexedSeq[Expression]): ModelFunction =
    copy(arguments = newChildren)
}
