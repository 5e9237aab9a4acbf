package org.sparkdl.merging

import scala.collection.mutable.ArrayBuffer

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType

import org.sparkdl.rows.TensorRows
import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}
import org.sparkdl.tensor.{BatchTensor, CellBuffer, CellReader, TensorSpec}

/** Cells that may differ in shape: each slot has its own tensor of one row. */
final private[merging] class RaggedCells(runtime: NativeRuntime, spec: TensorSpec, from: DataType)
    extends CellBuffer {
  private val collector = BatchTensor.of(runtime, spec, from, 1)
  private val cells = new ArrayBuffer[TfTensor]
  private var total = 0L

  override def add(slot: Int, row: SpecializedGetters, ordinal: Int): String = {
    val reason = collector.add(0, row, ordinal)
    if (reason == null) { forget(slot); append(copied(collector.tensor(1, 1))) }
    reason
  }

  private def append(cell: TfTensor): Unit = {
    cells += cell
    total += RaggedCells.bytesOf(cell)
  }

  private def copied(row: TfTensor): TfTensor = TensorRows.repeated(runtime, row, 0, 1)

  private def forget(slot: Int): Unit = while (cells.size > slot) {
    total -= RaggedCells.bytesOf(cells.last)
    cells.last.close()
    cells.remove(cells.size - 1)
  }

  override def move(from: Int, to: Int): Unit = put(cells(from), Array(to))

  override def gather(slots: Array[Int], leading: Array[Long]): TfTensor = copied(cells(slots(0)))

  override def fits(result: TfTensor, rows: Option[Int]): Boolean =
    result.dtype == spec.dtype && result.shape.length == cell.length + 1 && rows.contains(result.shape(0).toInt)

  override def put(result: TfTensor, slots: Array[Int]): Unit = {
    val copy = copied(result)
    total += RaggedCells.bytesOf(copy) - RaggedCells.bytesOf(cells(slots(0)))
    cells(slots(0)).close()
    cells(slots(0)) = copy
  }

  override def read(slot: Int, reader: CellReader): Any = reader.read(cells(slot), 0)
  override def cell: Array[Long] = cells.headOption.fold(Array.empty[Long])(_.shape.drop(1).map(_ => -1L))
  override def otherCell: Array[Long] = cell
  override def fixedSize: Boolean = false
  override def bytes(slots: Int): Long = { forget(slots); total }
  override def close(): Unit = { forget(0); collector.close() }
}

private object RaggedCells {

  /** The strings of a tensor are not counted one by one. */
  def bytesOf(cell: TfTensor): Long =
    128L + cell.elements * (if (cell.dtype == DType.Str) 3 * DType.Str.size else cell.dtype.size)
}
