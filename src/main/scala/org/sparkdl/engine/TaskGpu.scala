package org.sparkdl.engine

import java.net.InetAddress

import scala.util.Try

import org.apache.spark.TaskContext
import org.apache.spark.resource.ResourceInformation
import org.apache.spark.sql.SparkSession

import org.sparkdl.Version
import org.sparkdl.errors.NativeLibraryException
import org.sparkdl.runtime.{NativePlatform, NativeRuntime}

/** The GPU that the models of a task run on: the one that Spark gave to it. */
private[sparkdl] object TaskGpu {
  private val Resource = "gpu"

  /** Brings that library. */
  val Artefact: String = NativePlatform.artefact(s"${Version.natives.head}${NativePlatform.Gpu}")

  /** TensorFlow's number of the GPU of the task that runs on this thread; None where the library has no kernels for
    * GPUs. Where Spark gives none to tasks, they share the executor's first.
    */
  def of(runtime: NativeRuntime): Option[Int] =
    if (!runtime.isForGpus) None
    else {
      val turn = Option(TaskContext.get()).fold(0)(_.partitionId())
      Some(numberOf(addresses, turn, sys.env.get("CUDA_VISIBLE_DEVICES"), runtime.gpus))
    }

  /** The addresses of a task's GPUs; in local mode, where tasks have no resources, those of the driver. */
  private def addresses: Seq[String] = Option(TaskContext.get())
    .flatMap(_.resources().get(Resource))
    .orElse(SparkSession.getDefaultSession.flatMap(_.sparkContext.resources.get(Resource)))
    .fold(Seq.empty[String])((found: ResourceInformation) => found.addresses.toSeq)

  /** The number of one of some GPUs.
    *
    * @param turn
    *   of the task among those that share them
    * @param visible
    *   CUDA_VISIBLE_DEVICES: numbers are places in it, as Spark has it, and so TensorFlow's own numbers
    * @param seen
    *   how many TensorFlow sees
    */
  def numberOf(addresses: Seq[String], turn: Int, visible: Option[String], seen: Int): Int = {
    if (seen == 0) throw noGpu
    if (addresses.isEmpty) 0
    else {
      val address = addresses(turn % addresses.size)
      val number = Try(address.toInt).toOption.orElse(visible.map(_.split(",").map(_.trim).indexOf(address)))
      number.filter(n => n >= 0 && n < seen).getOrElse(throw unknown(address, visible, seen))
    }
  }

  /** Why there is none, as far as this machine tells. */
  def noGpu: NativeLibraryException = {
    val why =
      if (NativeRuntime.cards == 0) "it has no NVIDIA card, or not its driver (nvidia-smi shows both)"
      else
        s"it has ${NativeRuntime.cards} NVIDIA card(s), but CUDA 12.5 or newer or cuDNN 9 is not in LD_LIBRARY_PATH"
    val host = Try(InetAddress.getLocalHost.getHostName).getOrElse("this machine")
    new NativeLibraryException(
      s"TensorFlow's library for GPUs is loaded on $host, but no GPU can be used: $why. Mend that, or take $Artefact " +
        "out of spark.jars.packages to run models on CPUs."
    )
  }

  private def unknown(address: String, visible: Option[String], seen: Int) = new NativeLibraryException(
    s"Spark gave this task the GPU '$address', but TensorFlow sees $seen GPU(s)" +
      visible.fold("")(v => s", with CUDA_VISIBLE_DEVICES=$v") + ". The discovery script " +
      "(spark.executor.resource.gpu.discoveryScript) has to print numbers from 0 on, which count those that CUDA shows, or what " +
      "stands in CUDA_VISIBLE_DEVICES."
  )
}
