package org.sparkdl.application

import org.apache.spark.sql.types.{DataType, Metadata}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.ImageReader
import org.sparkdl.model.ModelDefinition
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.{CellReader, TensorSpec}

/** One output of a model, and the form in which it becomes a column.
  *
  * @param metadata
  *   what Spark ML is told of the column, such as the number of classes
  */
final case class OutputColumn(spec: TensorSpec, reader: CellReader, metadata: Metadata = Metadata.empty) {
  def dataType: DataType = reader.dataType
}

object OutputColumn {

  /** The output as a scalar or nested arrays. */
  def nested(model: ModelDefinition, spec: TensorSpec): OutputColumn =
    OutputColumn(spec, CellReader.nested(spec.dtype, rank(model, spec)))

  /** The only number, text or truth value of a row's output. */
  def scalar(model: ModelDefinition, spec: TensorSpec): OutputColumn = {
    if (!spec.cell.exists(_.forall(_ == 1)))
      throw new SchemaMismatchException(
        s"Output '${spec.name}' of model '${model.name}' is ${spec.typeString}, which cannot become a scalar: expected one " +
          "value per row, [?] or [?, 1]. Use an array or a vector."
      )
    OutputColumn(spec, CellReader.nested(spec.dtype, 0))
  }

  /** The output as one array, row-major. */
  def flat(spec: TensorSpec): OutputColumn = OutputColumn(spec, CellReader.flat(spec.dtype))

  /** The output, flattened row-major, as an MLlib vector. */
  def vector(spec: TensorSpec): OutputColumn = OutputColumn(spec, CellReader.vector(spec.dtype))

  /** The output as Spark's image struct.
    *
    * @param channelOrder
    *   of the model: one that takes BGR also returns BGR; otherwise colours are RGB
    */
  def image(model: ModelDefinition, spec: TensorSpec, channelOrder: String): OutputColumn = {
    val pixels = spec.cell.filter(_.size == 3)
    val channels = pixels.flatMap(_.lastOption).filter(_ >= 0)
    if (pixels.isEmpty || channels.exists(c => !ImageReader.Channels.contains(c.toInt)) || !ImageDTypes(spec.dtype))
      throw new SchemaMismatchException(
        s"Output '${spec.name}' of model '${model.name}' is ${spec.typeString}, which cannot become an image struct: " +
          "expected float32 or uint8 [rows, height, width, channels] with " +
          s"${ImageReader.Channels.mkString(", ")} channels. Use a vector."
      )
    OutputColumn(spec, ImageReader(spec.dtype, redFirst = channelOrder != "BGR"))
  }

  private val ImageDTypes = Set[DType](DType.Float32, DType.UInt8)

  private def rank(model: ModelDefinition, spec: TensorSpec): Int = spec.shape match {
    case Some(dims) if dims.nonEmpty => dims.size - 1
    case Some(_) =>
      throw new SchemaMismatchException(
        s"Output '${spec.name}' of model '${model.name}' is a scalar: expected a leading dimension, one entry per row. " +
          RowCounts.remedy(None, "model")
      )
    case None =>
      throw new SchemaMismatchException(
        s"The rank of output '${spec.name}' of model '${model.name}' is unknown, so its column has no type: give the " +
          "output a shape in the graph (tf.ensure_shape) or in the bundle's model.json."
      )
  }
}
