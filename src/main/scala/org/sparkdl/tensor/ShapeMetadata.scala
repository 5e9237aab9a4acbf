package org.sparkdl.tensor

import scala.util.Try

import org.apache.spark.sql.types.{Metadata, MetadataBuilder}

/** The shape of a column's tensor in the metadata of its field: a long array, the rows first, -1 = unknown. */
object ShapeMetadata {
  val Key = "sparkdl.tensorShape"

  /** What TensorFrames 0.x wrote. */
  private val OldKey = "org.spartf.shape"
  private val OldTypeKey = "org.sparktf.type"

  def read(metadata: Metadata): Option[Seq[Long]] =
    Seq(Key, OldKey).flatMap(k => Try(metadata.getLongArray(k)).toOption).headOption.map(_.toSeq)

  /** What is known of a cell; nothing for scalars, whose type says everything. */
  def ofCell(spec: TensorSpec): Metadata =
    spec.cell.filter(_.exists(_ >= 0)).fold(Metadata.empty)(cell => write(Metadata.empty, -1L +: cell))

  def write(metadata: Metadata, shape: Seq[Long]): Metadata = new MetadataBuilder()
    .withMetadata(metadata)
    .remove(OldKey)
    .remove(OldTypeKey)
    .putLongArray(Key, shape.toArray)
    .build()
}
