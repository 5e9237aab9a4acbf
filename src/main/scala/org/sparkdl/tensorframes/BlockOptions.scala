package org.sparkdl.tensorframes

import org.apache.spark.sql.SparkSession

import org.sparkdl.Sessions
import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.errors.SparkDLException

/** How a program is run. Immutable; the `with...` methods return changed copies.
  *
  * @param blockSize
  *   the rows that one run sees together; None: what fits `spark.sparkdl.blocks.maxMemory`
  * @param handleInvalid
  *   what happens to a row that cannot be fed, such as one with a null: "error" (default) ends the job, "skip" leaves
  *   the row out
  */
final case class BlockOptions(blockSize: Option[BlockSize] = None, handleInvalid: String = HandleInvalid.Error.name) {
  private[tensorframes] val policy: HandleInvalid = HandleInvalid.fromName(handleInvalid) match {
    case HandleInvalid.Keep =>
      throw new SparkDLException(
        "handleInvalid 'keep' cannot be used here: a row that is not fed has no output. Use 'error' or 'skip'."
      )
    case other => other
  }

  /** What a block is in a session. */
  private[tensorframes] def blockSizeIn(session: SparkSession): BlockSize =
    blockSize.getOrElse(BlockSize.Memory(Sessions.settingsOf(session).blocksMaxMemory))

  blockSize.foreach {
    case BlockSize.Rows(n) if n < 1 => throw new SparkDLException(s"A block needs at least 1 row, got $n.")
    case BlockSize.Memory(b) if b < 1 =>
      throw new SparkDLException(s"A block needs at least 1 byte of memory, got $b.")
    case _ =>
  }

  /** Blocks of this many rows; the last one of a partition may have fewer. */
  def withBlockRows(rows: Int): BlockOptions = copy(blockSize = Some(BlockSize.Rows(rows)))

  /** Blocks of as many rows as have inputs and outputs of this many bytes. */
  def withBlockMemory(bytes: Long): BlockOptions = copy(blockSize = Some(BlockSize.Memory(bytes)))

  /** Each partition is one block, however much memory it takes. */
  def withWholePartitions(): BlockOptions = copy(blockSize = Some(BlockSize.Partition))

  /** "error" or "skip". */
  def withHandleInvalid(policy: String): BlockOptions = copy(handleInvalid = policy)
}

object BlockOptions {

  /** The defaults, for Java. */
  def defaults(): BlockOptions = BlockOptions()
}
