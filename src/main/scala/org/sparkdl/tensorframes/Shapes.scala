package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.sparkdl.frames.FrameColumns
import org.apache.spark.sql.types.StructField

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.tensor.{ColumnTypes, ShapeMetadata, TensorSpec}

/** The shapes of columns as users give and see them. */
private[tensorframes] object Shapes {

  def append(df: DataFrame, column: String, shape: Seq[Long]): DataFrame = {
    val columns = FrameSchema(df, "appendShape")
    val position = columns.position(column)
    val field = columns.schema(position)
    val rank =
      ColumnTensors.of(field).flatMap(_.shape).getOrElse(fail(field, "its type is not that of a tensor")).size
    if (rank != shape.size)
      fail(field, s"expected $rank dimension(s), the rows first, got ${TensorSpec.shapeString(Some(shape))}")
    val known = ShapeMetadata.write(field.metadata, shape.map(d => if (d <= 0) -1L else d))
    FrameColumns.described(df, Map(position -> known), Set.empty)
  }

  def explain(df: DataFrame): String = {
    val lines = df.schema.fields.map { f =>
      s" |-- ${f.name}: ${f.dataType.typeName} (nullable = ${f.nullable}) ${tensor(f)}"
    }
    ("root" +: lines).mkString("", "\n", "\n")
  }

  private def tensor(field: StructField): String = ColumnTensors.of(field).fold("<no tensor info>") { spec =>
    ColumnTypes.unnest(field.dataType)._1.typeName + TensorSpec.shapeString(spec.shape).replace(" ", "")
  }

  private def fail(field: StructField, why: String): Nothing = throw new SchemaMismatchException(
    s"Cannot give column '${field.name}' (${field.dataType.simpleString}) a shape: $why."
  )
}
