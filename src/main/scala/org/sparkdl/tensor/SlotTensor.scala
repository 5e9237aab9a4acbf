package org.sparkdl.tensor

import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}

/** A tensor of slots of one size, whose number doubles when more are needed.
  *
  * @param initial
  *   initial number of slots
  */
final class SlotTensor(runtime: NativeRuntime, dtype: DType, initial: Int) extends AutoCloseable {
  private var full: TfTensor = _
  private var part: TfTensor = _
  private var cell: Array[Long] = _
  private var slots = 0
  private var maxSlots = Int.MaxValue

  /** Bytes of a slot. */
  var slotBytes = 0L

  /** Gives the slots the shape `dims`; what was written before is lost unless the shape is the same. */
  def shape(dims: Array[Long]): Unit = if (cell == null || !java.util.Arrays.equals(cell, dims)) {
    close()
    cell = dims.clone()
    slotBytes = TfTensor.elements(cell) * dtype.size
    full = allocate(initial)
    slots = initial
  }

  /** The tensor of all slots, including those that are not filled; valid until the next `address`. */
  private[tensor] def all: TfTensor = full

  /** Announces that up to `rows` slots will be used: a full tensor then has just as many and need not be copied. */
  def expect(rows: Int): Unit = {
    maxSlots = rows
    if (slots > rows) resize(rows)
  }

  /** Where the slot's bytes begin. */
  def address(slot: Int): Long = {
    if (slot >= slots) resize(math.max(slot + 1, math.min(slots * 2L, maxSlots.toLong).toInt))
    full.address + slot * slotBytes
  }

  private def resize(rows: Int): Unit = {
    val resized = allocate(rows)
    Platform.copyMemory(null, full.address, null, resized.address, math.min(slots, rows) * slotBytes)
    full.close()
    full = resized
    slots = rows
  }

  private def allocate(rows: Int): TfTensor = TfTensor.allocate(runtime, dtype, rows.toLong +: cell)

  /** A tensor of `rows` slots, of which `filled` are written and the others become copies of the first. */
  def tensor(rows: Int, filled: Int): TfTensor = {
    if (rows > slots) resize(rows)
    (filled until rows).foreach(slot => Platform.copyMemory(null, full.address, null, address(slot), slotBytes))
    tensor(rows)
  }

  /** The first `rows` slots as a tensor. A TensorFlow tensor cannot be shortened, so a part is copied, once. */
  private def tensor(rows: Int): TfTensor = {
    if (rows == slots) full
    else {
      if (part == null || part.shape(0) != rows) {
        if (part != null) part.close()
        part = allocate(rows)
      }
      Platform.copyMemory(null, full.address, null, part.address, rows * slotBytes)
      part
    }
  }

  override def close(): Unit = {
    Seq(full, part).filter(_ != null).foreach(_.close())
    full = null
    part = null
    cell = null
    slots = 0
  }
}
