package org.sparkdl.ml

import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.sql.sparkdl.frames.ColumnNames
import org.apache.spark.sql.types.{BinaryType, StringType, StructField, StructType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ImageTypes

/** The columns of a stage's input, with Spark's rule for upper and lower case.
  *
  * @param stage
  *   what messages call the stage
  */
private[ml] case class Columns(schema: StructType, stage: String) {

  def find(name: String): Option[StructField] = schema.fields.find(f => same(f.name, name))

  /** The column, or the field of a struct that a path such as "s.v" names, which has the path as its name; or an
    * error that lists what exists.
    */
  def existing(name: String): StructField = named(name).getOrElse(
    throw new SchemaMismatchException(
      s"$stage: there is no column '$name'. The DataFrame has: ${schema.fieldNames.mkString(", ")}${fieldsOf(name)}."
    )
  )

  /** A column comes before a field, whose path may be the column's name. */
  private def named(name: String): Option[StructField] = find(name).orElse(ColumnNames.fieldAt(schema, name))

  /** What there is instead in the struct that a path leads through. */
  private def fieldsOf(path: String): String = (1 until path.length).reverseIterator
    .filter(path(_) == '.')
    .map(path.take)
    .flatMap(parent => named(parent).map(parent -> _.dataType))
    .collectFirst { case (parent, struct: StructType) =>
      s"; '$parent' has the fields: ${struct.fieldNames.mkString(", ")}"
    }
    .getOrElse("")

  def requireImages(name: String): Unit = {
    val field = existing(name)
    if (!ImageTypes.isImage(field.dataType))
      throw new SchemaMismatchException(
        s"$stage: cannot take images from column '$name': expected Spark's image struct or encoded bytes (binary), got " +
          s"${field.dataType.simpleString}. " + """sparkdl.readImages and spark.read.format("binaryFile") give such columns."""
      )
  }

  /** Refuses names that the DataFrame already has, or that occur twice. */
  def requireNew(added: Seq[NewColumn]): Unit = {
    added.foreach { c =>
      if (find(c.name).isDefined)
        throw new SchemaMismatchException(
          s"$stage: the DataFrame has a column '${c.name}' already; set ${c.param} to another name, or drop the column."
        )
    }
    for ((c, i) <- added.zipWithIndex; d <- added.drop(i + 1) if same(c.name, d.name))
      throw new SchemaMismatchException(
        if (c.param == d.param) s"$stage: ${c.param} names the new column '${c.name}' twice."
        else s"$stage: ${c.param} and ${d.param} are both '${c.name}'."
      )
  }

  /** The column that tells where a row came from: the origin of an image, the path beside encoded bytes. */
  def origin(inputs: Seq[String]): Option[String] = inputs.flatMap(i => named(i).map(i -> _.dataType)).collectFirst {
    case (name, t) if ImageTypes.isStruct(t)            => pathOf(name, "origin")
    case (_, BinaryType) if find("path").exists(isText) => find("path").get.name
  }

  /** The path of a column or field by Spark's rules, by which a dot in a name has to be quoted. */
  def pathOf(name: String): String = ColumnNames.pathOf(schema, name)

  /** The path of a field of a column or field. */
  def pathOf(name: String, field: String): String = s"${pathOf(name)}.${ColumnNames.plain(field)}"

  private def isText(field: StructField): Boolean = field.dataType == StringType
  private def same(a: String, b: String): Boolean = SQLConf.get.resolver(a, b)
}
