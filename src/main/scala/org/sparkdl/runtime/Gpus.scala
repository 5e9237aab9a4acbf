package org.sparkdl.runtime

import java.nio.file.{Files, Paths}

import scala.util.{Try, Using}

import org.tensorflow.internal.c_api.{TF_DeviceList, TF_Session}
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

/** The GPUs of this process, which stay the same from the first look on. */
private[runtime] object Gpus {
  private var seen = Option.empty[Int]

  /** How many TensorFlow has made devices of: cards whose driver and CUDA it could load. */
  def count(runtime: NativeRuntime): Int = synchronized {
    val number = seen.getOrElse(Using.resource(TfGraph.fromBytes(runtime, Array.emptyByteArray)) { graph =>
      Using.resource(TfSession.open(runtime, graph, SessionConfig(gpu = Some(0))))(_.devices.count(_ == "GPU"))
    })
    seen = Some(number)
    number
  }

  /** Cards that have their driver, as Linux lists them. */
  def cards: Int =
    Try(Using.resource(Files.list(Paths.get("/proc/driver/nvidia/gpus")))(_.count().toInt)).getOrElse(0)

  /** The kinds of a session's devices, such as "CPU". */
  def kinds(session: TF_Session): Seq[String] = {
    val devices = Status.check(tf.TF_SessionListDevices(session, _))
    try Seq.tabulate(tf.TF_DeviceListCount(devices))(kind(devices, _))
    finally tf.TF_DeleteDeviceList(devices)
  }

  private def kind(devices: TF_DeviceList, i: Int) = Status.check(tf.TF_DeviceListType(devices, i, _)).getString
}
