package org.sparkdl.runtime

import org.tensorflow.internal.c_api.TF_Status
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

/** TensorFlow said no: its code (`tensorflow/c/tf_status.h`) and its own words. */
final class TfException(val code: Int, message: String) extends RuntimeException(message)

private[runtime] object Status {

  /** Gives `body` a status object and throws [[TfException]] when it comes back with an error. */
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
