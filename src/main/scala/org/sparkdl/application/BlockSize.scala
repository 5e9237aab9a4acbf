package org.sparkdl.application

/** How many rows of a partition form a block, which one run of a program sees together. */
sealed abstract class BlockSize extends Serializable

object BlockSize {

  /** This many rows; the last block of a partition may have fewer. */
  final case class Rows(count: Int) extends BlockSize

  /** As many rows as have inputs and outputs of this many bytes, at least one. */
  final case class Memory(bytes: Long) extends BlockSize

  /** All rows of the partition, however much memory they take. */
  case object Partition extends BlockSize
}
