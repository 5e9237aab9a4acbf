package org.sparkdl.application

import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.sparkdl.frames.ColumnNames
import org.apache.spark.sql.types.StructType

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ImageTypes
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** A struct that feeds the inputs of a model by the names of its fields. */
object StructFields {

  /** Whether the fields of a struct feed the inputs: not where the struct itself is an image for the only input. */
  def feed(application: ModelApplication, struct: StructType): Boolean =
    feed(application.model, application.inputs, struct)

  def feed(model: ModelDefinition, inputs: Seq[TensorSpec], struct: StructType): Boolean = inputs match {
    case Seq(input) => model.imageOf(input).isEmpty || !ImageTypes.isStruct(struct)
    case _          => true
  }

  /** Each input with the path of its field, if the column is a struct whose fields feed the inputs; None if it is
    * not.
    *
    * @param who
    *   who looks for them, for the message when fields are missing
    */
  def paths(
      who: String,
      model: ModelDefinition,
      inputs: Seq[TensorSpec],
      schema: StructType,
      column: String,
      remedy: String
  ): Option[Seq[(String, TensorSpec)]] = {
    val path = ColumnNames.pathOf(schema, column)
    ColumnNames.fieldAt(schema, path).map(_.dataType).collect {
      case struct: StructType if feed(model, inputs, struct) =>
        val from = s"$who finds its inputs in the struct column '$column' by name"
        positions(from, inputs, struct, _.name, remedy).map { case (input, i) =>
          s"$path.${ColumnNames.plain(struct(i).name)}" -> input
        }
    }
  }

  /** Each input with the position of its field; throws SchemaMismatchException when fields are missing.
    *
    * @param who
    *   who looks for them, and where, for the message
    * @param name
    *   the name of an input's field
    */
  def positions(
      who: String,
      inputs: Seq[TensorSpec],
      struct: StructType,
      name: TensorSpec => String,
      remedy: String
  ): Seq[(TensorSpec, Int)] = {
    val found = inputs.map(input => input -> positionOf(name(input), struct))
    val missing = found.collect { case (input, -1) =>
      s"'${name(input)}' (for input ${input.name}: ${input.typeString})"
    }
    if (missing.nonEmpty) {
      val present = struct.map(f => s"${f.name} ${f.dataType.simpleString}").mkString(", ")
      throw new SchemaMismatchException(
        s"$who: the struct lacks ${missing.mkString(", ")}. It has: $present. $remedy"
      )
    }
    found
  }

  /** Names of inputs differ in case where those of fields may not, so one that is the same in all letters comes
    * first.
    */
  private def positionOf(field: String, struct: StructType): Int = {
    val same = SQLConf.get.resolver
    val exact = struct.indexWhere(_.name == field)
    if (exact >= 0) exact else struct.indexWhere(f => same(f.name, field))
  }
}
