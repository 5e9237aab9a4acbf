package org.sparkdl.runtime

import java.io.EOFException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.channels.FileChannel.MapMode.READ_ONLY
import java.nio.file.{NoSuchFileException, Path, StandardOpenOption}

import scala.collection.mutable
import scala.util.Using

import org.apache.spark.unsafe.Platform

/** The large constants of a graph as tensors, for all of its sessions. */
private[runtime] object Weights {
  private val MostRead = 1L << 20

  /** The tensors of a graph, by the names of their operations; the caller closes them.
    *
    * @param unchanging
    *   whether nobody else writes the files while the tensors are open. A mapped file that someone makes shorter ends
    *   the process, and one that someone changes changes the model.
    */
  def open(runtime: NativeRuntime, weights: Seq[StoredWeight], unchanging: Boolean): Seq[(String, TfTensor)] = {
    val done = mutable.Map.empty[StoredWeight, TfTensor] // equal weights may be in a file once
    try weights.map(w => w.name -> done.getOrElseUpdate(w.copy(name = ""), tensor(runtime, w, unchanging)))
    catch { case e: Throwable => done.values.foreach(_.close()); throw e }
  }

  private def tensor(runtime: NativeRuntime, weight: StoredWeight, unchanging: Boolean): TfTensor =
    Using.resource(channel(weight.file)) { file =>
      if (weight.bytes > file.size() - weight.offset) throw tooShort(weight)
      if (unchanging && isMappable(weight)) mapped(runtime, file, weight) else copied(runtime, file, weight)
    }

  private def mapped(runtime: NativeRuntime, file: FileChannel, weight: StoredWeight): TfTensor = {
    val content = file.map(READ_ONLY, weight.offset, weight.bytes)
    TfTensor.mapped(runtime, weight.dtype, weight.shape.toArray, content)
  }

  private def copied(runtime: NativeRuntime, file: FileChannel, weight: StoredWeight): TfTensor = {
    val tensor = TfTensor.allocate(runtime, weight.dtype, weight.shape.toArray)
    try { read(file, weight, tensor.address); tensor }
    catch { case e: Throwable => tensor.close(); throw e }
  }

  /** TensorFlow would copy what does not begin at such an address; Java maps no more than that at once. */
  private def isMappable(weight: StoredWeight) = weight.offset % 64 == 0 && weight.bytes <= Int.MaxValue

  private def read(file: FileChannel, weight: StoredWeight, address: Long): Unit = {
    val part = ByteBuffer.allocate(math.min(weight.bytes, MostRead).toInt)
    var done = 0L
    while (done < weight.bytes) {
      part.clear().limit(math.min(part.capacity.toLong, weight.bytes - done).toInt)
      val read = file.read(part, weight.offset + done)
      if (read < 0) throw new EOFException(s"the file ends inside of '${weight.name}'")
      Platform.copyMemory(part.array, Platform.BYTE_ARRAY_OFFSET, null, address + done, read)
      done += read
    }
  }

  private def channel(path: Path): FileChannel =
    try FileChannel.open(path, StandardOpenOption.READ)
    catch { case _: NoSuchFileException => throw invalid(s"its weights are in '$path', which does not exist") }

  private def tooShort(weight: StoredWeight) =
    invalid(s"'${weight.file}' ends before byte ${weight.offset + weight.bytes}, which '${weight.name}' needs")

  private def invalid(why: String) = new TfException(3, s"Invalid GraphDef: $why")
}
