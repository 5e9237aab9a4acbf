package org.sparkdl.application

import org.apache.spark.sql.types.{DataType, StringType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.{ImageFeed, ImageTypes}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.{Compatibility, InputFeed, TensorFeed, TensorSpec}

/** How columns get into the inputs of a model. */
private[application] object Feeds {

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
      case Some(image) if ImageTypes.isImage(from) || from == StringType =>
        ImageFeed.check(model.name, spec, image)
        new ImageFeed(spec, image, scaleHint, maxPixels, from)
      case image =>
        if (image.isDefined && Compatibility.problem(spec, from, single = true).isDefined)
          throw new SchemaMismatchException(
            s"Cannot feed column '$column' to image input '${spec.name}' of model '${model.name}': expected Spark's " +
              s"image struct, encoded bytes (binary), paths of files (string) or ${spec.typeString}, got " +
              s"${from.simpleString}."
          )
        Compatibility.check(model.name, spec, column, from, single = true)
        new TensorFeed(spec, from)
    }
}
