package org.sparkdl.runtime

import java.nio.channels.FileChannel
import java.nio.file.{Path, Paths, StandardOpenOption}

import org.bytedeco.javacpp.Loader
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

import org.sparkdl.{Settings, Version}
import org.sparkdl.errors.NativeLibraryException

/** TensorFlow's native library in this JVM.
  *
  * JavaCPP unpacks about 680 MB into a cache directory at the first start on a machine. Several executors of one host
  * may do that at once, and a part of JavaCPP's unpacking is not locked, hence the file lock here.
  */
private[runtime] object NativeLibrary {
  private val loader = new LibraryLoader(place => underFileLock(folder(place))(loadFrom(place)))

  /** Loads the library unless it is loaded; the first call in a JVM that succeeds decides where it is unpacked. */
  def load(place: Path): Unit =
    try loader(place)
    catch {
      case e: InterruptedException   => Thread.currentThread().interrupt(); throw interrupted(e)
      case e: NativeLibraryException => throw e
      case e: Throwable              => throw explain(place, e)
    }

  /** The directory that the library was loaded from; empty before. */
  def location: String = Option(System.getProperty(cacheProperty)).getOrElse("")

  /** Whether it has kernels for GPUs; only after it was loaded. */
  @volatile private[runtime] var isForGpus: Boolean = false

  /** JavaCPP's own property comes first. */
  private def folder(place: Path): Path = Option(System.getProperty(cacheProperty)).fold(place)(Paths.get(_))

  private val cacheProperty = "org.bytedeco.javacpp.cachedir"

  private def loadFrom(place: Path): Unit = {
    // JavaCPP counts the memory of the whole process against these limits (default: the JVM's heap) and then throws
    // OutOfMemoryError, although the memory is TensorFlow's and Spark's. Both must be set before its classes load.
    Seq("maxBytes", "maxPhysicalBytes").foreach { k =>
      val key = s"org.bytedeco.javacpp.$k"
      if (System.getProperty(key) == null) System.setProperty(key, "0")
    }
    TensorFlowCopies.check(place)
    if (System.getProperty(cacheProperty) == null) System.setProperty(cacheProperty, place.toString)
    val file = Loader.load(classOf[tf]) // a name alone if it was on java.library.path
    val folder = Option(file).flatMap(f => Option(Paths.get(f).getParent))
    isForGpus = folder.exists(_.endsWith(Loader.getPlatform + NativePlatform.Gpu))
    tf.TF_Version()
    ()
  }

  private def underFileLock[T](place: Path)(body: => T): T = {
    NativeFolder.prepare(place)
    val channel =
      FileChannel.open(place.resolve(".sparkdl.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
    try {
      val lock = channel.lock()
      try body
      finally lock.release()
    } finally channel.close()
  }

  private def interrupted(cause: InterruptedException) = new NativeLibraryException(
    "This thread was interrupted while it waited for TensorFlow's native library, as Spark does with a task that it " +
      "kills. The library is not at fault: run the task again.",
    cause
  )

  private def explain(place: Path, cause: Throwable): NativeLibraryException = {
    val text = Option(cause.getMessage).getOrElse(cause.toString)
    val remedy = cause match {
      case _: LinkageError => s"${linkageRemedy(place, text)} A JVM tries this only once: start a new one afterwards."
      case _: ClassNotFoundException => jarRemedy
      case _                         => directoryRemedy(place)
    }
    new NativeLibraryException(s"Cannot load TensorFlow's native library: $text. $remedy", cause)
  }

  private def linkageRemedy(place: Path, text: String): String =
    if (text.contains("GLIBC"))
      s"The system's C library is too old: TensorFlow Java ${Version.tensorflowJava} needs glibc ${Version.glibc} and GLIBCXX_3.4.29 (Debian 12, Ubuntu " +
        "22.04, RHEL 9 or newer)."
    // JavaCPP says so, too, where the system does not load what it has unpacked.
    else if ((text.contains("no jnitensorflow") || text.contains("Could not find")) && !isOnClassPath) jarRemedy
    else directoryRemedy(place)

  private def isOnClassPath: Boolean = {
    val platform = NativePlatform.current
    classOf[tf].getResource(s"/org/tensorflow/internal/c_api/${platform.name}/${platform.libraryFile}") != null
  }

  private def jarRemedy: String =
    s"The library for '${NativePlatform.current.name}' is not on the class path: ${NativePlatform.current.remedy}."

  private def directoryRemedy(place: Path): String =
    s"It is unpacked into '$place', which needs about 700 MB and must be writable and executable; " +
      s"set ${Settings.nativeDir.key} to another directory if it is not. sparkdl.doctor() shows more."
}
