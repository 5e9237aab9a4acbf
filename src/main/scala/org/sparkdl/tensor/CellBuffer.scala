package org.sparkdl.tensor

import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.types.DataType

import org.sparkdl.runtime.{DType, NativeRuntime, TfTensor}

/** The values of one column in numbered slots, as many as are filled; any of them can be gathered into a tensor, and
  * results can be put back.
  *
  * Filled slots are 0, 1, 2, ... without gaps. Not thread-safe. Close it.
  */
abstract class CellBuffer extends AutoCloseable {

  /** Puts the value at `ordinal`, which is not null, into `slot`, which may be a filled one or the next.
    *
    * @return
    *   null when it was added; [[BatchTensor.OtherShape]] when it has another shape than the filled slots; otherwise
    *   the reason why the value cannot be fed
    */
  def add(slot: Int, from: SpecializedGetters, ordinal: Int): String

  /** Copies the cell of a slot to another one. */
  def move(from: Int, to: Int): Unit

  /** A tensor of the cells of all of `slots`, of the shape `leading` + cell. The caller closes it. */
  def gather(slots: Array[Int], leading: Array[Long]): TfTensor

  /** Whether the cells of a result have the shape of those in the slots.
    *
    * @param rows
    *   how many cells there are in a first dimension; None when the tensor is one cell
    */
  def fits(result: TfTensor, rows: Option[Int]): Boolean

  /** Puts the cells of a result that `fits` into `slots`. */
  def put(result: TfTensor, slots: Array[Int]): Unit

  /** The value of `slot` as a value of a column. */
  def read(slot: Int, reader: CellReader): Any

  /** The shape of the cells that are there. */
  def cell: Array[Long]

  /** The shape of the value for which `add` last returned OtherShape. */
  def otherCell: Array[Long]

  /** Whether all cells that are there at one time have the same number of bytes. */
  def fixedSize: Boolean

  /** Bytes that the cells of the first `slots` slots, all filled, take. */
  def bytes(slots: Int): Long
}

object CellBuffer {

  /** Slots for a column of type `from`, checked to fit `spec`; all cells have one shape, which the first one settles
    * where the spec leaves it open.
    */
  def of(runtime: NativeRuntime, spec: TensorSpec, from: DataType): CellBuffer = {
    val cell = CellShape.known(spec, from)
    if (spec.dtype == DType.Str) new StringCells(runtime, from, cell)
    else new DenseCells(runtime, spec, from, CellWriter.of(from, spec.dtype, cell.length))
  }
}
