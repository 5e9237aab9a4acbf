package org.sparkdl.tensor

import org.apache.spark.sql.types.DataType

import org.sparkdl.files.FileSource
import org.sparkdl.runtime.NativeRuntime

/** How one column gets into one input of a model; created on the driver, where types are checked. */
abstract class InputFeed extends Serializable {

  /** A collector for one task.
    *
    * @param initial
    *   initial number of rows; there may be more
    * @param files
    *   reads files, if [[readsFiles]]
    */
  def collector(runtime: NativeRuntime, initial: Int, files: Option[FileSource]): BatchTensor

  /** The shapes of the column's values, for one task, where they are found row by row and rows of any shape can be
    * collected side by side.
    */
  def cellShape: Option[CellShape] = None

  /** The feed for rows whose values have the shape `cell`. */
  def shaped(cell: Seq[Long]): InputFeed = throw new IllegalStateException(s"only tensors have shapes, got $cell")

  /** Whether each value decides which shape its batch has, so that values cannot be collected side by side.
    */
  def opensBatches: Boolean = false

  /** Whether the column's values are paths of files. */
  def readsFiles: Boolean = false
}

/** Numbers, strings, arrays, vectors. */
final private[sparkdl] class TensorFeed(spec: TensorSpec, from: DataType) extends InputFeed {
  override def collector(runtime: NativeRuntime, initial: Int, files: Option[FileSource]): BatchTensor =
    BatchTensor.of(runtime, spec, from, initial)

  override def cellShape: Option[CellShape] = CellShape.of(spec, from)
  override def shaped(cell: Seq[Long]): InputFeed = new TensorFeed(spec.copy(shape = Some(-1L +: cell)), from)
}
