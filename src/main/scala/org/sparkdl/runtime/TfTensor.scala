package org.sparkdl.runtime

import java.nio.MappedByteBuffer

import org.bytedeco.javacpp.{BytePointer, Pointer}
import org.tensorflow.internal.c_api.{Deallocator_Pointer_long_Pointer, TF_Tensor}
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

import org.apache.spark.unsafe.Platform

/** A tensor in native memory. Whoever created it or got it from a run closes it; `address` is invalid afterwards.
  *
  * Elements are stored row-major. Reading and writing goes through `address` with `Platform.copyMemory`: one memcpy
  * between a Java array and the tensor.
  */
sealed class TfTensor private[runtime] (
    private[runtime] val handle: TF_Tensor,
    val dtype: DType,
    val shape: Array[Long],
    private var arena: Long
) extends AutoCloseable {

  /** Address of the first element. */
  val address: Long = { val p = tf.TF_TensorData(handle); if (p == null) 0L else p.address() }

  /** Number of elements. */
  def elements: Long = TfTensor.elements(shape)

  /** Number of elements of one entry of the first dimension. */
  val elementsPerRow: Int = TfTensor.elementsPerRow(shape)

  /** The element at `index` of a string tensor, copied out. */
  def stringAt(index: Long): Array[Byte] = TString.read(address + index * TString.Size)

  private var open = true

  /** Frees the native memory; calling it again does nothing. */
  override def close(): Unit = if (open) {
    open = false
    tf.TF_DeleteTensor(handle)
    if (arena != 0) { Platform.freeMemory(arena); arena = 0 }
  }
}

object TfTensor {

  /** The number of elements; ArithmeticException where it is too large for a Long. */
  def elements(shape: Array[Long]): Long = {
    var n = 1L
    shape.foreach(d => n = Math.multiplyExact(n, d))
    n
  }

  private def elementsPerRow(shape: Array[Long]): Int = Math.toIntExact(elements(shape.drop(1)))

  /** A tensor with undefined contents. Not for strings: see [[strings]]. */
  def allocate(runtime: NativeRuntime, dtype: DType, shape: Array[Long]): TfTensor = {
    require(dtype != DType.Str, "string tensors are made with TfTensor.strings")
    val bytes = Math.multiplyExact(elements(shape), dtype.size.toLong)
    new TfTensor(allocateHandle(runtime, dtype, shape, bytes), dtype, shape, 0L)
  }

  /** A tensor whose elements are those of a file, as they are in memory: nothing is copied where they begin at an
    * address that 64 divides. Nobody may write to it, or make the file shorter, as long as it is open.
    */
  private[runtime] def mapped(
      runtime: NativeRuntime,
      dtype: DType,
      shape: Array[Long],
      content: MappedByteBuffer
  ): TfTensor = {
    runtime.load()
    elementsPerRow(shape)
    val data = new BytePointer(content)
    val handle =
      tf.TF_NewTensor(dtype.code, shape, shape.length, data, content.capacity.toLong, Unmapping, null: Pointer)
    new MappedTensor(handle, dtype, shape, content)
  }

  /** @param content
    *   the JVM unmaps it when nobody refers to it any more
    */
  final private class MappedTensor(handle: TF_Tensor, dtype: DType, shape: Array[Long], val content: MappedByteBuffer)
      extends TfTensor(handle, dtype, shape, 0L)

  /** What TensorFlow calls when it needs a mapped tensor no longer. */
  private object Unmapping extends Deallocator_Pointer_long_Pointer() {
    override def call(data: Pointer, bytes: Long, argument: Pointer): Unit = ()
  }

  /** A string tensor; the bytes are copied once, into memory that is freed with the tensor.
    *
    * A zero byte follows each string: some kernels, such as StringUpper for UTF-8, read on until they find one.
    */
  def strings(runtime: NativeRuntime, values: Array[Array[Byte]], shape: Array[Long]): TfTensor = {
    require(values.length == elements(shape), s"${values.length} strings for a tensor of ${elements(shape)}")
    val bytes = math.max(1L, values.iterator.map(_.length + 1L).sum)
    val handle = allocateHandle(runtime, DType.Str, shape, values.length.toLong * TString.Size)
    val arena =
      try Platform.allocateMemory(bytes)
      catch { case e: Throwable => tf.TF_DeleteTensor(handle); throw e }
    val tensor = new TfTensor(handle, DType.Str, shape, arena)
    var data = arena
    var i = 0
    while (i < values.length) {
      val v = values(i)
      Platform.copyMemory(v, Platform.BYTE_ARRAY_OFFSET, null, data, v.length)
      Platform.putByte(null, data + v.length, 0)
      TString.writeView(tensor.address + i.toLong * TString.Size, data, v.length)
      data += v.length + 1L
      i += 1
    }
    tensor
  }

  /** A scalar string tensor that views `length` bytes at `data`; the caller keeps that memory alive until after the
    * run, and may point the tensor elsewhere with [[pointTo]] for the next one.
    */
  def stringView(runtime: NativeRuntime, data: Long, length: Long): TfTensor = {
    val handle = allocateHandle(runtime, DType.Str, Array.empty, TString.Size)
    val tensor = new TfTensor(handle, DType.Str, Array.empty[Long], 0L)
    TString.writeView(tensor.address, data, length)
    tensor
  }

  /** Makes a tensor of [[stringView]] view other memory. */
  def pointTo(tensor: TfTensor, data: Long, length: Long): Unit = TString.writeView(tensor.address, data, length)

  private def allocateHandle(runtime: NativeRuntime, dtype: DType, shape: Array[Long], bytes: Long): TF_Tensor = {
    runtime.load()
    elementsPerRow(shape) // fails where there are too many, before there is memory to lose
    val handle = tf.TF_AllocateTensor(dtype.code, shape, shape.length, bytes)
    if (handle == null || handle.isNull)
      throw new OutOfMemoryError(s"TensorFlow could not allocate a tensor $dtype ${shape.mkString("[", ", ", "]")}")
    handle
  }

  /** Takes over a tensor that a run returned. */
  private[runtime] def adopt(handle: TF_Tensor): TfTensor = {
    val code = tf.TF_TensorType(handle)
    val shape = Array.tabulate(tf.TF_NumDims(handle))(tf.TF_Dim(handle, _))
    try {
      val dtype = DType
        .fromCode(code)
        .getOrElse(
          throw new TfException(3, s"the model returned a tensor of an unsupported type (TF_DataType $code)")
        )
      new TfTensor(handle, dtype, shape, 0L)
    } catch {
      case e: Throwable =>
        tf.TF_DeleteTensor(handle)
        throw e match {
          case _: ArithmeticException =>
            new TfException(3, s"the model returned a tensor that is too large: ${shape.mkString("[", ", ", "]")}")
          case other => other
        }
    }
  }

  /** Takes over the tensors that a run returned, all or none. */
  private[runtime] def adopt(handles: Seq[TF_Tensor]): Array[TfTensor] = {
    var taken = 0
    try Closeables.made(handles) { handle => taken += 1; adopt(handle) }
    catch { case e: Throwable => handles.drop(taken).foreach(tf.TF_DeleteTensor); throw e }
  }
}
