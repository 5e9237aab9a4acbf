package org.sparkdl.runtime

import java.nio.file.{Path, Paths}

import org.bytedeco.javacpp.Pointer
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

import org.sparkdl.Settings

/** TensorFlow's native library with the settings to load it with. Whatever creates graphs, sessions or tensors takes
  * one, so that no caller can forget the settings.
  *
  * A plain value, which travels to the executors with what they run; nothing is loaded before the first use. The
  * first use in a JVM decides the directory, the first session the number of threads.
  *
  * @param directory
  *   where the library is unpacked; empty for [[NativeRuntime.defaultDirectory]]
  * @param intraOpThreads
  *   threads of one operation, a pool that belongs to the process; 0 = cores of the executor / task slots
  */
final case class NativeRuntime(directory: String, intraOpThreads: Int) {

  /** Loads the library unless it is loaded; throws NativeLibraryException. */
  def load(): Unit = NativeLibrary.load(place)

  /** Version of TensorFlow, e.g. "2.18.0". */
  def version: String = { load(); tf.TF_Version().getString }

  /** The directory that the library was loaded from. */
  def location: String = { load(); NativeLibrary.location }

  /** Whether the library has kernels for GPUs. */
  def isForGpus: Boolean = { load(); NativeLibrary.isForGpus }

  /** How many GPUs TensorFlow can use in this JVM. */
  def gpus: Int = if (isForGpus) Gpus.count(this) else 0

  /** Threads of one operation, on this machine. */
  private[runtime] def threads: Int = TaskThreads.of(intraOpThreads)

  private def place: Path = if (directory.isEmpty) NativeRuntime.defaultDirectory else Paths.get(directory)
}

object NativeRuntime {

  /** Where the library is unpacked unless a directory is set. */
  val defaultDirectory: Path = Paths.get(System.getProperty("user.home"), ".sparkdl", "native")

  /** The runtime for these settings. */
  def of(settings: Settings.Reader): NativeRuntime = NativeRuntime(settings.nativeDir, settings.intraOpThreads)

  /** How many of NVIDIA's cards this machine has, with a driver, whether they can be used or not. */
  def cards: Int = Gpus.cards

  /** Gives memory that was freed, but kept by the C library's allocator, back to the system (`malloc_trim`). */
  def trimMemory(): Unit =
    try {
      // JavaCPP has it, but does not make it public; without it nothing is lost but memory.
      val trim = classOf[Pointer].getDeclaredMethod("trimMemory")
      trim.setAccessible(true)
      trim.invoke(null)
      ()
    } catch { case _: ReflectiveOperationException | _: RuntimeException | _: LinkageError => }
}
