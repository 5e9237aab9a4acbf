package org.sparkdl.tensor

import org.apache.spark.ml.image.ImageSchema
import org.apache.spark.sql.types.{BinaryType, DataType, StringType, StructType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.files.FileSource
import org.sparkdl.image.ImageFeed
import org.sparkdl.model.ModelDefinition

/** How one column gets into one input of a model; made on the driver, where types are checked. */
abstract class InputFeed extends Serializable {

  /** A collector for one task.
    *
    * @param initial
    *   rows to begin with; there may be more
    * @param files
    *   reads files, if [[readsFiles]]
    */
  def collector(initial: Int, files: Option[FileSource]): BatchTensor

  /** The shapes of the column's values, for one task, where they are found row by row and rows of any shape can be
    * collected side by side.
    */
  def cellShape: Option[CellShape] = None

  /** The feed for rows whose values have the shape `cell`. */
  def shaped(cell: Seq[Long]): InputFeed = throw new IllegalStateException(s"only tensors have shapes, got $cell")

  /** Whether the values decide, each for itself, which shape their batch has, and cannot be collected side by side.
    */
  def opensBatches: Boolean = false

  /** Whether the column's values are paths of files. */
  def readsFiles: Boolean = false
}

object InputFeed {

  /** Decides from the types how a column is fed.
    *
    * @param scaleHint
    *   how images are resized
    */
  def of(
      model: ModelDefinition,
      spec: TensorSpec,
      column: String,
      from: DataType,
      scaleHint: String,
      maxPixels: Long
  ): InputFeed =
    model.imageOf(spec) match {
      case Some(image) if isImage(from) || from == StringType =>
        ImageFeed.check(model.name, spec, image)
        new ImageFeed(spec, image, scaleHint, maxPixels, from)
      case image =>
        if (image.isDefined && Compatibility.problem(spec, from).isDefined)
          throw new SchemaMismatchException(
            s"Cannot feed column '$column' to image input '${spec.name}' of model '${model.name}': expected Spark's " +
              s"image struct, encoded bytes (binary), paths of files (string) or ${spec.typeString}, got " +
              s"${from.simpleString}."
          )
        Compatibility.check(model.name, spec, column, from)
        new TensorFeed(spec, from)
    }

  /** Encoded bytes, or Spark's image struct whatever its nullability. */
  def isImage(dataType: DataType): Boolean = dataType == BinaryType || isImageStruct(dataType)

  /** Spark's image struct, whatever its nullability. */
  def isImageStruct(dataType: DataType): Boolean = dataType match {
    case s: StructType => s.map(f => (f.name, f.dataType)) == ImageSchema.columnSchema.map(f => (f.name, f.dataType))
    case _             => false
  }
}

/** Numbers, strings, arrays, vectors. */
final private class TensorFeed(spec: TensorSpec, from: DataType) extends InputFeed {
  override def collector(initial: Int, files: Option[FileSource]): BatchTensor = BatchTensor.of(spec, from, initial)
  override def cellShape: Option[CellShape] = CellShape.of(spec, from)
  override def shaped(cell: Seq[Long]): InputFeed = new TensorFeed(spec.copy(shape = Some(-1L +: cell)), from)
}
