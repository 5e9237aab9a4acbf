package org.sparkdl.runtime

import org.tensorflow.internal.c_api.TF_Status
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

/** An error of TensorFlow: its code (`tensorflow/c/tf_status.h`) and its message. */
final class TfException(val code: Int, message: String) extends RuntimeException(message) {

  /** Whether there was no memory for a tensor (RESOURCE_EXHAUSTED). */
  def isOutOfMemory: Boolean = code == 8
}

private[runtime] object Status {

  /** Passes a status object to `body` and throws [[TfException]] if it holds an error afterwards. */
  def check[T](body: TF_Status => T): T = {
    val status = tf.TF_NewStatus()
    try {
      val result = body(status)
      val code = tf.TF_GetCode(status)
      if (code != 0) throw new TfException(code, tf.TF_Message(status).getString)
      result
    } finally tf.TF_DeleteStatus(status)
  }
}
