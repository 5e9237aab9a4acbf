package org.sparkdl.ml

import org.apache.spark.sql.internal.SQLConf
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

  /** The column, or an error that lists those that exist. */
  def existing(name: String): StructField = find(name).getOrElse(
    throw new SchemaMismatchException(
      s"$stage: there is no column '$name'. The DataFrame has: ${schema.fieldNames.mkString(", ")}."
    )
  )

  def requireImages(name: String): Unit = {
    val field = existing(name)
    if (!ImageTypes.isImage(field.dataType))
      throw new SchemaMismatchException(
        s"$stage: cannot take images from column '$name': expected Spark's image struct or encoded bytes (binary), got " +
          s"${field.dataType.simpleString}. sparkdl.readImages and spark.read.format(\"binaryFile\") give such columns."
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
  def origin(inputs: Seq[String]): Option[String] = inputs.flatMap(find).map(f => f -> f.dataType).collectFirst {
    case (field, t) if ImageTypes.isStruct(t)           => s"${Columns.quoted(field.name)}.origin"
    case (_, BinaryType) if find("path").exists(isText) => Columns.quoted(find("path").get.name)
  }

  private def isText(field: StructField): Boolean = field.dataType == StringType
  private def same(a: String, b: String): Boolean = SQLConf.get.resolver(a, b)
}

private[ml] object Columns {

  /** A name quoted for where Spark would read a dot as a field access. */
  def quoted(name: String): String = s"`${name.replace("`", "``")}`"
}
