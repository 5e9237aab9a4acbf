package org.sparkdl.image

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.{BinaryType, DataType, StringType}

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.files.FileSource
import org.sparkdl.model.ImageInfo
import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}
import org.sparkdl.tensor.{BatchTensor, InputFeed, SlotTensor, TensorSpec}

/** Encoded images, files of them, or image structs, decoded and resized into the batch. */
final private[sparkdl] class ImageFeed(
    spec: TensorSpec,
    info: ImageInfo,
    scaleHint: String,
    maxPixels: Long,
    from: DataType
) extends InputFeed {

  override def readsFiles: Boolean = from == StringType
  override def opensBatches: Boolean = info.ownSize

  override def collector(runtime: NativeRuntime, initial: Int, files: Option[FileSource]): BatchTensor = {
    val images = from match {
      case BinaryType => new EncodedImages(runtime, maxPixels)
      case StringType => new ImageFiles(runtime, files.get, maxPixels)
      case _          => new StructImages(PixelNumbers.isFloat(spec.dtype))
    }
    new ImageBatch(runtime, spec, info, scaleHint, images, initial)
  }
}

private[sparkdl] object ImageFeed {

  /** Refuses an input that images cannot be fed to as `info` says. */
  def check(model: String, spec: TensorSpec, info: ImageInfo): Unit =
    problem(spec, info).foreach { why =>
      throw new SchemaMismatchException(
        s"Cannot feed images to input '${spec.name}' of model '$model', which is ${spec.typeString}: $why."
      )
    }

  private def problem(spec: TensorSpec, info: ImageInfo): Option[String] = {
    val target =
      ImageTarget(if (info.ownSize) 1 else info.height, if (info.ownSize) 1 else info.width, info.channelOrder)
    dtypeProblem(spec.dtype, info).orElse(spec.cell.flatMap(shapeProblem(_, info, target)))
  }

  private def dtypeProblem(dtype: DType, info: ImageInfo): Option[String] = {
    Preprocessing.of(info.preprocessing)
    val plain = info.preprocessing == Preprocessing.None
    val order =
      Map(Preprocessing.Caffe -> "BGR", Preprocessing.Torch -> "RGB").getOrElse(info.preprocessing, info.channelOrder)
    if (!PixelNumbers.dtypes.contains(dtype))
      Some(s"expected one of ${PixelNumbers.dtypes.mkString(", ")}; put a cast into the graph")
    else if (!plain && !PixelNumbers.isFloat(dtype))
      Some(
        s"preprocessing '${info.preprocessing}' gives fractions, so it needs float32 or float64; leave it at 'none'"
      )
    else if (order != info.channelOrder)
      Some(
        s"preprocessing '${info.preprocessing}' gives $order, so channelOrder must be $order, got ${info.channelOrder}"
      )
    else None
  }

  private def shapeProblem(cell: Seq[Long], info: ImageInfo, target: ImageTarget): Option[String] = cell match {
    case Seq(_, _, c) if c >= 0 && c != target.channels =>
      Some(s"channelOrder '${info.channelOrder}' gives ${target.channels} channel(s); expected $c")
    case Seq(h, w, _) if !info.ownSize && (h >= 0 && h != target.height || w >= 0 && w != target.width) =>
      Some(s"images are resized to ${target.height}x${target.width} (height x width), which is not the input's size")
    case Seq(_, _, _) => None
    case _            => Some("expected the shape [rows, height, width, channels]")
  }
}

/** Images of one size per batch: the model's, or that of the first image of the batch. */
private final class ImageBatch(
    runtime: NativeRuntime,
    spec: TensorSpec,
    info: ImageInfo,
    scaleHint: String,
    images: ImageColumn,
    initial: Int
) extends BatchTensor {
  private val slots = new SlotTensor(runtime, spec.dtype, initial)
  private var target: ImageTarget = _

  private val numbers =
    if (spec.dtype == DType.UInt8) null
    else new PixelNumbers(spec.dtype, if (info.channelOrder == "L") 1 else 3, Preprocessing.of(info.preprocessing))

  if (!info.ownSize) shape(info.height, info.width) // last: it takes memory

  override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    var reason = images.open(from, ordinal)
    if (reason == null && info.ownSize) reason = settle(slot)
    if (reason == null) images.write(target, numbers, slots.address(slot)) else reason
  }

  private def settle(slot: Int): String = {
    val reason = images.measure()
    if (reason != null) reason
    else if (!fits(0, images.height) || !fits(1, images.width))
      s"expected an image of ${TensorSpec.shapeString(spec.shape)}, got ${images.height}x${images.width} (height x width)"
    else if (slot == 0) { shape(images.height, images.width); null }
    else if (images.height == target.height && images.width == target.width) null
    else BatchTensor.OtherShape
  }

  private def fits(dimension: Int, size: Int): Boolean =
    spec.cell.forall(cell => cell(dimension) < 0 || cell(dimension) == size)

  private def shape(height: Int, width: Int): Unit = {
    target = ImageTarget(height, width, info.channelOrder, scaleHint)
    slots.shape(shapeOf(height, width))
  }

  private def shapeOf(height: Int, width: Int) = Array(height.toLong, width.toLong, target.channels.toLong)

  override def expect(rows: Int): Unit = slots.expect(rows)
  override def bytes: Long = slots.slotBytes
  override def cell: Array[Long] = shapeOf(target.height, target.width)
  override def otherCell: Array[Long] = shapeOf(images.height, images.width)
  override def tensor(rows: Int, filled: Int): TfTensor = slots.tensor(rows, filled)
  override def close(): Unit = slots.close()
}
