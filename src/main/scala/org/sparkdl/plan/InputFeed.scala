package org.sparkdl.plan

import org.apache.spark.ml.image.ImageSchema
import org.apache.spark.sql.types.{BinaryType, DataType, StringType, StructType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.{BatchTensor, Compatibility, TensorSpec}

/** How one column gets into one input of a model; made on the driver, where types are checked. */
abstract class InputFeed extends Serializable {

  /** A collector of up to `capacity` rows, for one task.
    *
    * @param files
    *   reads files, if [[readsFiles]]
    */
  def collector(capacity: Int, files: Option[FileSource]): BatchTensor

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
  override def collector(capacity: Int, files: Option[FileSource]): BatchTensor = BatchTensor.of(spec, from, capacity)
}
