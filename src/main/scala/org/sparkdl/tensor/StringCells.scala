package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType

import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}

/** Strings and binary values, on the heap: TensorFlow's own strings could not be moved from slot to slot. */
final private[tensor] class StringCells(runtime: NativeRuntime, from: DataType, spec: Array[Long])
    extends CellBuffer {
  private val cells = new scala.collection.mutable.ArrayBuffer[Array[Array[Byte]]]
  private val reader = new StringCell(from, spec)
  private var dims = spec.clone()
  private var total = 0L

  override def add(slot: Int, row: SpecializedGetters, ordinal: Int): String = {
    val reason = reader.read(row, ordinal)
    if (reason != null) return reason
    if (slot == 0) dims = reader.dims.clone()
    else if (!java.util.Arrays.equals(reader.dims, dims)) return BatchTensor.OtherShape
    forget(slot)
    cells += reader.elements.toArray
    total += StringCells.bytesOf(cells.last)
    null
  }

  /** Drops the cells from `slot` on: left by a merge, or by a row that another column refused. */
  private def forget(slot: Int): Unit = while (cells.size > slot) {
    total -= StringCells.bytesOf(cells.last)
    cells.remove(cells.size - 1)
  }

  private def replace(slot: Int, cell: Array[Array[Byte]]): Unit = {
    total += StringCells.bytesOf(cell) - StringCells.bytesOf(cells(slot))
    cells(slot) = cell
  }

  override def move(from: Int, to: Int): Unit = replace(to, cells(from))

  override def gather(slots: Array[Int], leading: Array[Long]): TfTensor =
    TfTensor.strings(runtime, slots.flatMap(cells(_)), leading ++ dims)

  override def fits(result: TfTensor, rows: Option[Int]): Boolean =
    result.dtype == DType.Str && java.util.Arrays.equals(result.shape, rows.map(_.toLong).toArray ++ dims)

  override def put(result: TfTensor, slots: Array[Int]): Unit = {
    val n = TfTensor.elements(dims).toInt
    slots.indices.foreach(i => replace(slots(i), Array.tabulate(n)(k => result.stringAt(i.toLong * n + k))))
  }

  override def read(slot: Int, reader: CellReader): Any = {
    val tensor = gather(Array(slot), Array(1L))
    try reader.read(tensor, 0)
    finally tensor.close()
  }

  override def cell: Array[Long] = dims.clone()
  override def otherCell: Array[Long] = reader.dims.clone()
  override def fixedSize: Boolean = false
  override def bytes(slots: Int): Long = { forget(slots); total }
  override def close(): Unit = { cells.clear(); total = 0L }
}

private object StringCells {

  /** Including the JVM's overhead for arrays. */
  def bytesOf(cell: Array[Array[Byte]]): Long = {
    var bytes = 16L
    cell.foreach(e => bytes += e.length + 24L)
    bytes
  }
}
