package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType

import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}

/** Collects the values of one input, row by row, in one batch tensor that is reused from batch to batch.
  *
  * The owner calls `add` for slots 0, 1, 2, ..., then `tensor`, then starts again at slot 0. Not thread-safe. Close
  * it.
  */
abstract class BatchTensor extends AutoCloseable {

  /** Puts the value at `ordinal`, which is not null, into `slot`.
    *
    * @return
    *   null when it was added; [[BatchTensor.OtherShape]] when the value has another shape than the batch so far and
    *   must open the next batch; otherwise the reason why the value cannot be fed
    */
  def add(slot: Int, from: SpecializedGetters, ordinal: Int): String

  /** Announces that up to `rows` slots will be used. */
  def expect(rows: Int): Unit

  /** Bytes of the value that was added last. */
  def bytes: Long

  /** The shape of the batch's values. */
  def cell: Array[Long]

  /** The shape of the value that had another shape. */
  def otherCell: Array[Long]

  /** A tensor of `rows` slots; it belongs to this object and is valid until the next `add`.
    *
    * @param filled
    *   slots that hold values, at least one; the others get a copy of the first, for a graph that takes exactly
    *   `rows` and may refuse whatever else is in memory
    */
  def tensor(rows: Int, filled: Int): TfTensor
}

object BatchTensor {

  /** What `add` returns for a value that has to wait for the next batch; it is compared by reference. */
  val OtherShape = new String("other shape")

  /** The collector for a column of type `from`, checked to fit `spec`.
    *
    * @param initial
    *   initial number of slots; there may be more
    */
  def of(runtime: NativeRuntime, spec: TensorSpec, from: DataType, initial: Int): BatchTensor = {
    val cell = CellShape.known(spec, from)
    if (spec.dtype == DType.Str) new StringBatch(runtime, from, cell)
    else new DenseBatch(runtime, spec, from, CellWriter.of(from, spec.dtype, cell.length), initial)
  }
}

/** Numbers and booleans. Unknown dimensions are settled by the first row of each batch. */
private final class DenseBatch(
    runtime: NativeRuntime,
    spec: TensorSpec,
    from: DataType,
    writer: CellWriter,
    initial: Int
) extends BatchTensor {
  private[tensor] val slots = new SlotTensor(runtime, spec.dtype, initial)
  private val shape = CellShape.of(spec, from).orNull // null when nothing is unknown
  private val dims = CellShape.known(spec, from)

  if (shape == null) slots.shape(dims)

  override def add(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    if (shape != null) {
      val reason = settle(slot, from, ordinal)
      if (reason != null) return reason
    }
    writer.write(from, ordinal, dims, slots.address(slot))
  }

  private def settle(slot: Int, from: SpecializedGetters, ordinal: Int): String = {
    val reason = shape.measure(from, ordinal)
    if (reason != null) reason
    else if (slot > 0) { if (java.util.Arrays.equals(shape.dims, dims)) null else BatchTensor.OtherShape }
    else {
      System.arraycopy(shape.dims, 0, dims, 0, dims.length)
      slots.shape(dims)
      null
    }
  }

  override def expect(rows: Int): Unit = slots.expect(rows)
  override def bytes: Long = slots.slotBytes
  override def cell: Array[Long] = dims
  override def otherCell: Array[Long] = shape.dims
  override def tensor(rows: Int, filled: Int): TfTensor = slots.tensor(rows, filled)
  override def close(): Unit = slots.close()
}

/** Strings and binary values: collected on the heap, copied once into the tensor. */
private final class StringBatch(runtime: NativeRuntime, from: DataType, spec: Array[Long]) extends BatchTensor {
  private val values = new scala.collection.mutable.ArrayBuffer[Array[Byte]]
  private val cells = new StringCell(from, spec)
  private var dims = spec.clone()
  private var last: TfTensor = _

  /** Bytes of the value that was read last. */
  var bytes = 0L
  var otherCell: Array[Long] = dims

  override def add(slot: Int, row: SpecializedGetters, ordinal: Int): String = {
    val reason = cells.read(row, ordinal)
    if (reason != null) return reason
    if (slot == 0) { values.clear(); dims = cells.dims.clone() }
    else {
      if (!java.util.Arrays.equals(cells.dims, dims)) {
        otherCell = cells.dims.clone(); return BatchTensor.OtherShape
      }
      // a slot of a row that another input refused is overwritten
      val kept = slot * TfTensor.elements(dims).toInt
      values.remove(kept, values.size - kept)
    }
    values ++= cells.elements
    bytes = cells.elements.iterator.map(_.length.toLong + DType.Str.size).sum
    null
  }

  override def expect(rows: Int): Unit = ()
  override def cell: Array[Long] = dims

  override def tensor(rows: Int, filled: Int): TfTensor = {
    close()
    val cell = TfTensor.elements(dims).toInt
    // a slot of a row that another input refused may still follow the filled ones
    val elements = Array.tabulate(rows * cell)(i => if (i < filled * cell) values(i) else values(i % cell))
    last = TfTensor.strings(runtime, elements, rows.toLong +: dims)
    last
  }

  override def close(): Unit = if (last != null) { last.close(); last = null }
}
