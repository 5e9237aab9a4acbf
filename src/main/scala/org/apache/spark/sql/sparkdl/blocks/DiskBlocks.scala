package org.apache.spark.sql.sparkdl.blocks

import java.nio.ByteBuffer
import java.nio.file.Path

import org.apache.spark.SparkEnv
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.sparkdl.versions.SparkApi
import org.apache.spark.storage.{BlockManager, BroadcastBlockId}
import org.apache.spark.util.Utils
import org.apache.spark.util.io.ChunkedByteBuffer

/** Blocks of bytes that any process of the application gets from any that has them.
  *
  * They are on disks and in no heap. A broadcast owns them: Spark's cleaner removes them with it from all processes
  * when nothing on the driver refers to it any more. (The value of a broadcast itself is in the heap of every
  * process, twice.)
  */
object DiskBlocks {

  /** Keeps a block in this process, from where others get it. */
  def put(owner: Broadcast[_], number: Int, bytes: Array[Byte]): Unit = {
    val block = new ChunkedByteBuffer(ByteBuffer.wrap(bytes))
    SparkApi.current.putOnDisk(manager, id(owner, number), block)
  }

  /** A block of this process or, if it has none, of another; None if nobody has it. */
  def get(owner: Broadcast[_], number: Int): Option[Array[Byte]] =
    own(id(owner, number)).orElse(manager.getRemoteBytes(id(owner, number)).map(_.toArray))

  /** Removes a block from this process. */
  def remove(owner: Broadcast[_], number: Int): Unit = manager.removeBlock(id(owner, number), tellMaster = true)

  /** Where this process may fill a disk: beside its blocks. */
  def root: Path = manager.diskBlockManager.localDirs.head.getParentFile.toPath

  /** A new directory there, which is removed when the process ends. */
  def directory(prefix: String): Path = Utils.createTempDir(root.toString, prefix).toPath

  private def own(id: BroadcastBlockId): Option[Array[Byte]] = manager.getLocalBytes(id).map { block =>
    try block.toChunkedByteBuffer(ByteBuffer.allocate).toArray
    finally manager.releaseLockAndDispose(id, block)
  }

  private def manager: BlockManager = SparkEnv.get.blockManager

  private def id(owner: Broadcast[_], number: Int) = BroadcastBlockId(owner.id, s"sparkdl$number")
}
