package org.apache.spark.sql.sparkdl.versions

import scala.reflect.ClassTag

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.physical.{ClusteredDistribution, Distribution}
import org.apache.spark.storage.{BlockId, BlockManager, StorageLevel}
import org.apache.spark.util.io.ChunkedByteBuffer

/** Spark 4.3 gave methods further parameters, which have defaults. The jar is compiled against an older one, so they
  * are called by their names.
  */
private trait DefaultArguments extends SparkApi {
  override def clustered(keys: Seq[Expression]): Distribution =
    call(ClusteredDistribution, "apply", Seq(keys), Nil).asInstanceOf[Distribution]

  override def putOnDisk(manager: BlockManager, id: BlockId, bytes: ChunkedByteBuffer): Unit = {
    call(manager, "putBytes", Seq(id, bytes, StorageLevel.DISK_ONLY, true), Seq(ClassTag.Any))
    ()
  }

  /** Calls a method with these arguments at its start and at its end, and the defaults between them. */
  private def call(of: AnyRef, name: String, first: Seq[Any], last: Seq[Any]): Any = {
    val method = of.getClass.getMethods.filter(m => m.getName == name && !m.isBridge).head
    val defaults = (first.size + 1 to method.getParameterCount - last.size).map { number =>
      of.getClass.getMethod(s"$name$$default$$$number").invoke(of)
    }
    method.invoke(of, (first ++ defaults ++ last).map(_.asInstanceOf[AnyRef]): _*)
  }
}
