package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType
import org.apache.spark.unsafe.Platform

import org.sparkdl.runtime.{DType, TfTensor}

/** Collects the values of one input, row by row, in one batch tensor that is reused from batch to batch.
  *
  * The owner calls `add` for slots 0, 1, 2, ..., then `tensor`, then starts again at slot 0. Not thread-safe. Close
  * it.
  */
abstract class BatchTensor extends AutoCloseable {

  /** Puts the value at `ordinal`, which is not null, into `slot`.
    *
    * @return
    *   null when done; [[BatchTensor.OtherShape]] when the value has another shape than the batch so far and must
    *   open the next batch; else the reason why the value cannot be fed
    */
  def add(slot: Int, from: SpecializedGetters, ordinal: Int): String

  /** The tensor of the first `rows` slots; it stays this object's and is valid until the next `add`. */
  def tensor(rows: Int): TfTensor
}

object BatchTensor {

  /** What `add` returns, as this very object, for a value that has to wait for the next batch. */
  val OtherShape = new String("other shape")

  /** The collector for a column of type `from`, checked to fit `spec`. */
  def of(spec: TensorSpec, from: DataType, capacity: Int): BatchTensor = {
    val cell = spec.cell.getOrElse(Seq.fill(ColumnTypes.unnest(from)._2)(-1L)).toArray
    if (spec.dtype == DType.Str) new StringBatch(from, cell)
    else new DenseBatch(spec.dtype, cell, CellWriter.of(from, spec.dtype, cell.length), capacity)
  }
}

/** A tensor of `capacity` slots of one size, and of fewer for the last batch. */
final class SlotTensor(dtype: DType, capacity: Int) extends AutoCloseable {
  private var full: TfTensor = _
  private var part: TfTensor = _
  private var cell: Array[Long] = _
  private var slotBytes = 0L

  /** Gives the slots the shape `dims`; what was written before is lost unless the shape is the same. */
  def shape(dims: Array[Long]): Unit = if (cell == null || !java.util.Arrays.equals(cell, dims)) {
    close()
    cell = dims.clone()
    slotBytes = TfTensor.elements(cell) * dtype.size
    full = TfTensor.allocate(dtype, capacity.toLong +: cell)
  }

  /** Where the slot's bytes begin. */
  def address(slot: Int): Long = full.address + slot * slotBytes

  /** The first `rows` slots as a tensor. A TensorFlow tensor cannot be shortened, so a part is copied, once. */
  def tensor(rows: Int): TfTensor =
    if (rows == capacity) full
    else {
      if (part == null || part.shape(0) != rows) {
        if (part != null) part.close()
        part = TfTensor.allocate(dtype, rows.toLong +: cell)
      }
      Platform.copyMemory(null, full.address, null, part.address, rows * slotBytes)
      part
    }

  override def close(): Unit = {
    Seq(full, part).filter(_ != null).foreach(_.close())
    full = null
    part = null
    cell = null
  }
}

/** Numbers and booleans. Unknown dimensions are settled by the first row of each batch. */
private final class DenseBatch(dtype: DType, spec: Array[Long], writer: CellWriter, capacity: Int)
    extends BatchTensor {
  private val slots = new SlotTensor(dtype, capacity)
  private val known = !spec.exists(_ < 0)
  private val dims = spec.clone()
  private val measured = new Array[Long](spec.length)

  if (known) slots.shape(dims)

  override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    if (!known) {
      val reason = settle(slot, from, ordinal)
      if (reason != null) return reason
    }
    writer.write(from, ordinal, dims, slots.address(slot))
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
    if (slot > 0) return if (java.util.Arrays.equals(measured, dims)) null else BatchTensor.OtherShape
    System.arraycopy(measured, 0, dims, 0, dims.length)
    slots.shape(dims)
    null
  }

  override def tensor(rows: Int): TfTensor = slots.tensor(rows)
  override def close(): Unit = slots.close()
}

/** Strings and binary values: collected on the heap, copied once into the tensor. */
private final class StringBatch(from: DataType, spec: Array[Long]) extends BatchTensor {
  private val values = new scala.collection.mutable.ArrayBuffer[Array[Byte]]
  private val cells = new StringCell(from, spec)
  private var dims = spec.clone()
  private var made: TfTensor = _

  override def add(slot: Int, row: SpecializedGetters, ordinal: Int): String = {
    val reason = cells.read(row, ordinal)
    if (reason != null) return reason
    if (slot == 0) { values.clear(); dims = cells.dims.clone() }
    else {
      if (!java.util.Arrays.equals(cells.dims, dims)) return BatchTensor.OtherShape
      // a slot that was refused by another input is written again
      values.dropRightInPlace(values.size - slot * TfTensor.elements(dims).toInt)
    }
    values ++= cells.elements
    null
  }

  override def tensor(rows: Int): TfTensor = {
    close()
    val elements = rows * TfTensor.elements(dims).toInt
    made = TfTensor.strings(values.take(elements).toArray.padTo(elements, Array.emptyByteArray), rows.toLong +: dims)
    made
  }

  override def close(): Unit = if (made != null) { made.close(); made = null }
}
