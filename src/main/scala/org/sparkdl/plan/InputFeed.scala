package org.sparkdl.plan

import org.apache.spark.ml.image.ImageSchema
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.{BinaryType, DataType, StructType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.image.{ImageDecoder, ImageStructs, ImageTarget}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.tensor.{BatchTensor, Compatibility, SlotTensor, TensorSpec}

/** How one column gets into one input of a model; made on the driver, where types are checked. */
sealed abstract class InputFeed extends Serializable {

  /** A collector of up to `capacity` rows, for one task. */
  def collector(capacity: Int): BatchTensor
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
      case Some(image) if isImage(from) =>
        val target = ImageTarget(image.height, image.width, image.channelOrder, scaleHint)
        new ImageFeed(spec, target, maxPixels, encoded = from == BinaryType)
      case image =>
        if (image.isDefined && Compatibility.problem(spec, from).isDefined)
          throw new SchemaMismatchException(
            s"Cannot feed column '$column' to image input '${spec.name}' of model '${model.name}': expected Spark's " +
              s"image struct, encoded bytes (binary) or ${spec.typeString}, got ${from.simpleString}."
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
  override def collector(capacity: Int): BatchTensor = BatchTensor.of(spec, from, capacity)
}

/** Encoded images or image structs, decoded and resized into the batch. */
final private class ImageFeed(spec: TensorSpec, target: ImageTarget, maxPixels: Long, encoded: Boolean)
    extends InputFeed {
  if (spec.dtype != DType.UInt8)
    throw new SchemaMismatchException(
      s"The image input '${spec.name}' must be uint8, got ${spec.typeString}: put the cast and the scaling of the " +
        "pixels into the graph (sparkdl.save_bundle with preprocessing= does it)."
    )

  override def collector(capacity: Int): BatchTensor = new BatchTensor {
    private val slots = new SlotTensor(DType.UInt8, capacity)
    slots.shape(Array(target.height.toLong, target.width.toLong, target.channels.toLong))

    override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String =
      if (encoded) ImageDecoder.decodeInto(from.getBinary(ordinal), target, maxPixels, slots.address(slot))
      else addStruct(slots.address(slot), from, ordinal)

    private def addStruct(address: Long, from: SpecializedGetters, ordinal: Int): String = {
      val image = from.getStruct(ordinal, 6) // origin, height, width, nChannels, mode, data
      if ((1 to 5).exists(image.isNullAt)) "the image struct has null fields"
      else
        ImageStructs.structInto(
          image.getInt(1),
          image.getInt(2),
          image.getInt(3),
          image.getInt(4),
          image.getBinary(5),
          target,
          address
        )
    }

    override def tensor(rows: Int): TfTensor = slots.tensor(rows)
    override def close(): Unit = slots.close()
  }
}
