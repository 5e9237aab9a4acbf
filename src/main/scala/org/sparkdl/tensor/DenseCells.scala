package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType
import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{NativeRuntime, TfTensor}

/** Numbers and booleans, in the slots of one growing tensor. */
final private[tensor] class DenseCells(
    runtime: NativeRuntime,
    spec: TensorSpec,
    from: DataType,
    writer: CellWriter
) extends CellBuffer {
  private val batch = new DenseBatch(runtime, spec, from, writer, DenseCells.First)
  private val memory = batch.slots

  override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String = batch.add(slot, from, ordinal)

  override def move(from: Int, to: Int): Unit =
    Platform.copyMemory(null, memory.address(from), null, memory.address(to), memory.slotBytes)

  override def gather(slots: Array[Int], leading: Array[Long]): TfTensor = {
    val tensor = TfTensor.allocate(runtime, spec.dtype, leading ++ batch.cell)
    val base = memory.address(0)
    if (DenseCells.consecutive(slots))
      Platform.copyMemory(null, memory.address(slots(0)), null, tensor.address, slots.length * memory.slotBytes)
    else
      memory.slotBytes match {
        case 8L    => DenseCells.gatherLongs(base, slots, tensor.address)
        case 4L    => DenseCells.gatherInts(base, slots, tensor.address)
        case bytes => DenseCells.gatherCells(base, slots, tensor.address, bytes)
      }
    tensor
  }

  override def fits(result: TfTensor, rows: Option[Int]): Boolean = result.dtype == spec.dtype &&
    java.util.Arrays.equals(result.shape, rows.map(_.toLong).toArray ++ batch.cell)

  override def put(result: TfTensor, slots: Array[Int]): Unit = {
    val bytes = memory.slotBytes
    var i = 0
    while (i < slots.length) {
      Platform.copyMemory(null, result.address + i * bytes, null, memory.address(slots(i)), bytes)
      i += 1
    }
  }

  override def read(slot: Int, reader: CellReader): Any = reader.read(memory.all, slot)
  override def cell: Array[Long] = batch.cell
  override def otherCell: Array[Long] = batch.otherCell
  override def fixedSize: Boolean = true
  override def bytes(slots: Int): Long = slots * memory.slotBytes
  override def close(): Unit = batch.close()
}

private object DenseCells {

  /** Initial number of slots: many partitions are small. */
  val First = 256

  /** Whether the slots follow each other, as those of a group do in a reduction of all rows. */
  def consecutive(slots: Array[Int]): Boolean = {
    var i = 1
    while (i < slots.length && slots(i) == slots(i - 1) + 1) i += 1
    i >= slots.length
  }

  // A call of copyMemory for each cell takes several times as long as these.
  def gatherLongs(from: Long, slots: Array[Int], to: Long): Unit = {
    var i = 0
    while (i < slots.length) {
      Platform.putLong(null, to + i * 8L, Platform.getLong(null, from + slots(i) * 8L)); i += 1
    }
  }

  def gatherInts(from: Long, slots: Array[Int], to: Long): Unit = {
    var i = 0
    while (i < slots.length) {
      Platform.putInt(null, to + i * 4L, Platform.getInt(null, from + slots(i) * 4L)); i += 1
    }
  }

  def gatherCells(from: Long, slots: Array[Int], to: Long, bytes: Long): Unit = {
    var i = 0
    while (i < slots.length) {
      Platform.copyMemory(null, from + slots(i) * bytes, null, to + i * bytes, bytes); i += 1
    }
  }
}
