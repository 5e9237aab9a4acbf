package org.sparkdl.runtime

import java.nio.channels.FileChannel
import java.nio.file.{Files, Path, Paths, StandardOpenOption}

import org.bytedeco.javacpp.{Loader, Pointer}
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

import org.sparkdl.errors.NativeLibraryException

/** TensorFlow's native library, loaded once per JVM.
  *
  * JavaCPP unpacks about 680 MB into a cache directory at the first start on a machine. Several executors of one host
  * may do that at once, and a part of JavaCPP's unpacking is not locked, hence the file lock here.
  */
object NativeLibrary {
  @volatile private var loaded = false
  private var failure: NativeLibraryException = _

  /** Where the library is unpacked unless a directory is given. */
  val defaultDirectory: Path = Paths.get(System.getProperty("user.home"), ".sparkdl", "native")

  /** Loads the library if it is not loaded yet.
    *
    * @param directory
    *   where JavaCPP unpacks it; empty for [[defaultDirectory]]. The first call in a JVM decides.
    */
  def load(directory: String = ""): Unit = if (!loaded) synchronized {
    if (failure != null) throw failure
    if (!loaded) {
      val place = if (directory.isEmpty) defaultDirectory else Paths.get(directory)
      try underFileLock(place)(loadFrom(place))
      catch { case e: Throwable => failure = explain(place, e); throw failure }
      loaded = true
    }
  }

  /** Version of the TensorFlow runtime, e.g. "2.18.0". */
  def version: String = { load(); tf.TF_Version().getString }

  /** The directory that the library was loaded from. */
  def location: String = { load(); Option(System.getProperty(cacheProperty)).getOrElse("") }

  /** Gives memory that was freed, but kept by the C library's allocator, back to the system (`malloc_trim`). */
  def trimMemory(): Unit =
    try {
      // JavaCPP has it, but not in public; without it nothing is lost but memory.
      val trim = classOf[Pointer].getDeclaredMethod("trimMemory")
      trim.setAccessible(true)
      trim.invoke(null)
      ()
    } catch { case _: ReflectiveOperationException | _: RuntimeException | _: LinkageError => }

  private val cacheProperty = "org.bytedeco.javacpp.cachedir"

  private def loadFrom(place: Path): Unit = {
    // JavaCPP counts the memory of the whole process against these limits (default: the JVM's heap) and then throws
    // OutOfMemoryError, although the memory is TensorFlow's and Spark's. Both must be set before its classes load.
    Seq("maxBytes", "maxPhysicalBytes").foreach { k =>
      val key = s"org.bytedeco.javacpp.$k"
      if (System.getProperty(key) == null) System.setProperty(key, "0")
    }
    if (System.getProperty(cacheProperty) == null) System.setProperty(cacheProperty, place.toString)
    Loader.load(classOf[tf])
    tf.TF_Version()
    ()
  }

  private def underFileLock[T](place: Path)(body: => T): T = {
    Files.createDirectories(place)
    val channel =
      FileChannel.open(place.resolve(".sparkdl.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
    try {
      val lock = channel.lock()
      try body
      finally lock.release()
    } finally channel.close()
  }

  private def explain(place: Path, cause: Throwable): NativeLibraryException = {
    val text = Option(cause.getMessage).getOrElse(cause.toString)
    val remedy = text match {
      case t if t.contains("GLIBC") =>
        "The system's C library is too old: TensorFlow Java 1.1 needs glibc 2.34 and GLIBCXX_3.4.29 " +
          "(Debian 12, Ubuntu 22.04, RHEL 9 or newer)."
      case t
          if t.contains("no jnitensorflow") || t.contains("Could not find") || cause
            .isInstanceOf[ClassNotFoundException] =>
        s"The jar with the native library for '${Loader.getPlatform}' is not on the class path: " +
          s"add org.tensorflow:tensorflow-core-native:1.1.0 and org.bytedeco:javacpp:1.5.11 with classifier " +
          s"'${Loader.getPlatform}' (--packages org.sparkdl:sparkdl_2.13 brings those of linux-x86_64)."
      case _ =>
        s"It is unpacked into '$place', which needs about 700 MB and must be writable and executable; " +
          "set spark.sparkdl.native.dir to another directory if it is not. sparkdl.doctor() tells more."
    }
    new NativeLibraryException(s"Cannot load TensorFlow's native library: $text. $remedy", cause)
  }
}
