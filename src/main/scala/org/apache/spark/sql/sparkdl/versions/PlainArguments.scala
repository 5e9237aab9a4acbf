package org.apache.spark.sql.sparkdl.versions

import scala.reflect.ClassTag

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.physical.{ClusteredDistribution, Distribution}
import org.apache.spark.storage.{BlockId, BlockManager, StorageLevel}
import org.apache.spark.util.io.ChunkedByteBuffer

/** Methods as they were before Spark 4.3 gave them further parameters. */
private trait PlainArguments extends SparkApi {
  override def clustered(keys: Seq[Expression]): Distribution = ClusteredDistribution(keys)

  override def putOnDisk(manager: BlockManager, id: BlockId, bytes: ChunkedByteBuffer): Unit = {
    manager.putBytes(id, bytes, StorageLevel.DISK_ONLY, tellMaster = true)(ClassTag.Any)
    ()
  }
}
