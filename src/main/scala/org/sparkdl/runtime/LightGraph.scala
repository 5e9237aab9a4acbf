package org.sparkdl.runtime

import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.charset.StandardCharsets
import java.nio.file.{Path, StandardOpenOption}

import scala.util.Using

import org.tensorflow.proto.TensorShapeProto

/** A graph as it is in a file, but for the content of its large constants: placeholders stand for them, which every
  * run is fed.
  *
  * TensorFlow copies a graph for each pass of its optimiser and again for the session, constants included: a model of
  * 0.5 GB took 4.5 GB, and 8 GB while it was loaded.
  */
final private[runtime] case class LightGraph(graphDef: Array[Byte], weights: Seq[StoredWeight])

/** Where the content of a large constant is in a file: in that of the graph, or in one of weights. */
final private[runtime] case class StoredWeight(
    name: String,
    dtype: DType,
    shape: Seq[Long],
    file: Path,
    offset: Long
) {
  val bytes: Long = StoredWeight
    .bytes(shape, dtype)
    .getOrElse(
      throw new TfException(3, s"Invalid GraphDef: '$name' has the shape ${shape.mkString("[", ", ", "]")}")
    )
  if (offset < 0) throw new TfException(3, s"Invalid GraphDef: '$name' begins at byte $offset of '$file'")
}

private[runtime] object StoredWeight {

  /** The size of a tensor; None where there is no tensor of that shape. */
  def bytes(shape: Seq[Long], dtype: DType): Option[Long] = Some(shape)
    .filter(_.forall(_ >= 0))
    .map(_.foldLeft(BigInt(dtype.size))(_ * _))
    .collect { case bytes if bytes.isValidLong => bytes.toLong }
}

private[runtime] object LightGraph {

  /** The file beside a graph with the content of its large constants; the graph says where each begins. */
  val WeightsFile = "weights.bin"

  /** An attribute of a placeholder that stands for a large constant: where its content begins in the file beside. */
  val OffsetAttribute = "_sparkdl_offset"

  /** Constants from this size on stay outside. Smaller ones are worth more inside, where they are folded and laid out
    * for the processor once, and they are few: of InceptionV3's 95 MB, 2 MB. (36 MB are in constants below 1 MB.
    * Inside, they took 0.24 GB, and 0.3 GB at the first run; the time of a run is the same.)
    */
  val LargeBytes: Long = 256L << 10

  /** Reads a serialized GraphDef; of large constants no byte is touched. */
  def read(path: Path, largeBytes: Long = LargeBytes): LightGraph =
    Using.resource(FileChannel.open(path, StandardOpenOption.READ)) { channel =>
      if (channel.size() > Int.MaxValue) throw tooLarge(path, channel.size())
      val content = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
      val light = new ByteArrayOutputStream()
      val weights = Seq.newBuilder[StoredWeight]
      Message(content, 0, content.limit()).fields.foreach { field =>
        val large = if (field.number == Node) weight(path, field, largeBytes) else None
        large match {
          case Some(found) => weights += found; write(light, placeholder(found))
          case None        => light.write(field.bytes)
        }
      }
      LightGraph(light.toByteArray, weights.result())
    }

  // Fields of GraphDef, NodeDef, an entry of its attributes, AttrValue and TensorProto, by their numbers.
  private val Node = 1
  private val Name = 1
  private val Op = 2
  private val Input = 3
  private val Attribute = 5
  private val Key = 1
  private val Value = 2
  private val TensorOf = 8
  private val Number = 3
  private val TypeOf = 6
  private val ShapeOf = 7
  private val Type = 1
  private val Shape = 2
  private val Content = 4

  private def weight(path: Path, node: Field, largeBytes: Long): Option[StoredWeight] =
    node.message.text(Op) match {
      case Some("Const") if node.length >= largeBytes => weightInside(path, node.message)
      case Some("Placeholder")                        => weightBeside(path, node.message)
      case _                                          => None
    }

  private def weightInside(path: Path, node: Message): Option[StoredWeight] = for {
    name <- node.text(Name) if !node.fields.exists(_.number == Input)
    tensor <- node.attribute("value").flatMap(_.find(TensorOf)).map(_.message)
    content <- tensor.find(Content)
    dtype <- tensor.find(Type).flatMap(dtypeOf) if dtype != DType.Str
    shape = tensor.find(Shape).fold(Seq.empty[Long])(dims)
    if StoredWeight.bytes(shape, dtype).contains(content.length.toLong)
  } yield StoredWeight(name, dtype, shape, path, content.start.toLong)

  private def weightBeside(path: Path, node: Message): Option[StoredWeight] = for {
    offset <- node.attribute(OffsetAttribute)
    name <- node.text(Name)
    dtype <- node.attribute("dtype").flatMap(_.find(TypeOf)).flatMap(dtypeOf)
    shape = node.attribute("shape").flatMap(_.find(ShapeOf)).fold(Seq.empty[Long])(dims)
  } yield StoredWeight(name, dtype, shape, path.resolveSibling(WeightsFile), offset.find(Number).fold(0L)(_.number64))

  private def dtypeOf(field: Field): Option[DType] = DType.fromCode(field.number64.toInt)

  private def dims(shape: Field): Seq[Long] = {
    val parsed = TensorShapeProto.parseFrom(shape.bytesOfContent)
    (0 until parsed.getDimCount).map(parsed.getDim(_).getSize)
  }

  private def placeholder(weight: StoredWeight): Array[Byte] =
    GraphDefs.placeholder(weight.name, GraphDefs.attribute(weight.dtype), Some(weight.shape)).toByteArray

  private def write(to: ByteArrayOutputStream, node: Array[Byte]): Unit = {
    val out = com.google.protobuf.CodedOutputStream.newInstance(to)
    out.writeByteArray(Node, node)
    out.flush()
  }

  private def tooLarge(path: Path, bytes: Long) = new TfException(
    3,
    f"'$path' has ${bytes / 1e9}%.1f GB: one graph holds at most 2 GB, a limit of protocol buffers. Make a bundle of the " +
      "model itself (sparkdl.save_bundle), or use a SavedModel: both keep weights beside the graph"
  )

  /** A message in the format of protocol buffers, from `start` until before `end`. */
  final private case class Message(buffer: ByteBuffer, start: Int, end: Int) {
    def fields: Iterator[Field] = Iterator
      .iterate(nextFrom(start))(_.flatMap { case (_, after) => nextFrom(after) })
      .takeWhile(_.nonEmpty)
      .flatMap(_.map { case (field, _) => field })
    def find(number: Int): Option[Field] = fields.find(_.number == number)
    def attribute(key: String): Option[Message] = fields
      .filter(_.number == Attribute)
      .map(_.message)
      .find(_.text(Key).contains(key))
      .flatMap(_.find(Value))
      .map(_.message)
    def text(number: Int): Option[String] =
      find(number).map(f => new String(f.bytesOfContent, StandardCharsets.UTF_8))

    private def nextFrom(at: Int): Option[(Field, Int)] = if (at >= end) None else Some(next(at))

    private def next(at: Int): (Field, Int) = {
      val (tag, afterTag) = varint(at)
      val (value, content, after) = (tag & 7).toInt match {
        case 0 => val (v, next) = varint(afterTag); (v, afterTag, next)
        case 1 => (0L, afterTag, afterTag + 8)
        case 2 => val (length, from) = varint(afterTag); (0L, from, Math.toIntExact(from + length))
        case 5 => (0L, afterTag, afterTag + 4)
        case _ => throw malformed(at)
      }
      if (after > end) throw malformed(at)
      (Field(buffer, (tag >>> 3).toInt, value, at, content, after), after)
    }

    private def varint(at: Int): (Long, Int) = {
      var (value, shift, i) = (0L, 0, at)
      while (i < end && buffer.get(i) < 0) { value |= (buffer.get(i) & 127L) << shift; shift += 7; i += 1 }
      if (i >= end || shift > 63) throw malformed(at)
      (value | buffer.get(i).toLong << shift, i + 1)
    }

    private def malformed(at: Int) =
      new TfException(3, s"Invalid GraphDef: its bytes are no protocol buffer from byte $at on")
  }

  /** A field, with its tag from `from` on.
    *
    * @param number64
    *   the value, if it is a number
    */
  final private case class Field(buffer: ByteBuffer, number: Int, number64: Long, from: Int, start: Int, end: Int) {
    def length: Int = end - start
    def message: Message = Message(buffer, start, end)
    def bytes: Array[Byte] = copy(from)
    def bytesOfContent: Array[Byte] = copy(start)

    private def copy(first: Int): Array[Byte] = {
      val bytes = new Array[Byte](end - first)
      buffer.get(first, bytes)
      bytes
    }
  }
}
