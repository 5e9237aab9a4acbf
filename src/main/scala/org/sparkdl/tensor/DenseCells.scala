package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{DType, TfTensor}

/** Numbers and booleans, in one tensor with a slot per entry of its first dimension. */
final private[tensor] class DenseCells(dtype: DType, spec: Array[Long], writer: CellWriter) extends CellBuffer {
  private val known = !spec.exists(_ < 0)
  private val dims = spec.clone()
  private val measured = new Array[Long](spec.length)
  private var memory: TfTensor = _
  private var capacity = 0
  private var slotBytes = 0L

  if (known) slotBytes = TfTensor.elements(dims) * dtype.size

  override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    if (!known) {
      val reason = settle(slot, from, ordinal)
      if (reason != null) return reason
    }
    if (slot >= capacity) grow(slot)
    writer.write(from, ordinal, dims, address(slot))
  }

  private def settle(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    System.arraycopy(spec, 0, measured, 0, spec.length)
    val reason = writer.measure(from, ordinal, measured)
    if (reason != null) return reason
    var i = 0
    while (i < spec.length) {
      if (spec(i) >= 0 && measured(i) != spec(i)) return CellWriter.wrongLength(i, spec(i), measured(i))
      i += 1
    }
    if (java.util.Arrays.equals(measured, dims)) null
    else if (slot > 0) BatchTensor.OtherShape
    else { reshape(); null }
  }

  private def reshape(): Unit = {
    close()
    System.arraycopy(measured, 0, dims, 0, dims.length)
    slotBytes = TfTensor.elements(dims) * dtype.size
  }

  private def grow(slot: Int): Unit = {
    val wanted = math.max(DenseCells.First.toLong, math.min(2L * capacity, Int.MaxValue - 8L)).toInt
    val larger = TfTensor.allocate(dtype, math.max(wanted, slot + 1).toLong +: dims)
    if (memory != null) {
      Platform.copyMemory(null, memory.address, null, larger.address, slot * slotBytes)
      memory.close()
    }
    memory = larger
    capacity = larger.shape(0).toInt
  }

  private def address(slot: Int): Long = memory.address + slot * slotBytes

  override def move(from: Int, to: Int): Unit =
    Platform.copyMemory(null, address(from), null, address(to), slotBytes)

  override def gather(slots: Array[Int], leading: Array[Long]): TfTensor = {
    val tensor = TfTensor.allocate(dtype, leading ++ dims)
    val n = slots.length
    val base = memory.address
    val to = tensor.address
    if (consecutive(slots)) Platform.copyMemory(null, address(slots(0)), null, to, n * slotBytes)
    else if (slotBytes == 8) {
      var i = 0
      while (i < n) { Platform.putLong(null, to + i * 8L, Platform.getLong(null, base + slots(i) * 8L)); i += 1 }
    } else if (slotBytes == 4) {
      var i = 0
      while (i < n) { Platform.putInt(null, to + i * 4L, Platform.getInt(null, base + slots(i) * 4L)); i += 1 }
    } else {
      var i = 0
      while (i < n) { Platform.copyMemory(null, address(slots(i)), null, to + i * slotBytes, slotBytes); i += 1 }
    }
    tensor
  }

  /** Those of one group that nothing came between, as in a reduction of all rows. */
  private def consecutive(slots: Array[Int]): Boolean = {
    var i = 1
    while (i < slots.length && slots(i) == slots(i - 1) + 1) i += 1
    i >= slots.length
  }

  override def fits(result: TfTensor, rows: Option[Int]): Boolean =
    result.dtype == dtype && java.util.Arrays.equals(result.shape, rows.map(_.toLong).toArray ++ dims)

  override def put(result: TfTensor, slots: Array[Int]): Unit = {
    var i = 0
    while (i < slots.length) {
      val from = result.address + i * slotBytes
      if (slotBytes == 8) Platform.putLong(null, address(slots(i)), Platform.getLong(null, from))
      else Platform.copyMemory(null, from, null, address(slots(i)), slotBytes)
      i += 1
    }
  }

  override def read(slot: Int, reader: CellReader): Any = reader.read(memory, slot)
  override def cell: Array[Long] = dims.clone()
  override def otherCell: Array[Long] = measured.clone()
  override def fixedSize: Boolean = true
  override def bytes(slots: Int): Long = slots * slotBytes

  override def close(): Unit = if (memory != null) {
    memory.close()
    memory = null
    capacity = 0
  }
}

private object DenseCells {

  /** Slots to begin with: many partitions are small. */
  val First = 256
}
