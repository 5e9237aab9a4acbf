package org.sparkdl.runtime

import scala.jdk.CollectionConverters._

import org.bytedeco.javacpp.BytePointer
import org.tensorflow.internal.c_api.global.{tensorflow => tf}
import org.tensorflow.proto.OpList

/** What TensorFlow says about its operations. */
object OpDefs {

  /** Whether two runs of the operation on equal inputs may differ, or have effects: random numbers, tables, prints.
    */
  def isStateful(runtime: NativeRuntime, op: String): Boolean = { runtime.load(); stateful(op) }

  private lazy val stateful: Set[String] = {
    val buffer = tf.TF_GetAllOpList()
    try {
      val bytes = new Array[Byte](buffer.length().toInt)
      new BytePointer(buffer.data()).get(bytes)
      OpList.parseFrom(bytes).getOpList.asScala.filter(_.getIsStateful).map(_.getName).toSet
    } finally tf.TF_DeleteBuffer(buffer)
  }
}
