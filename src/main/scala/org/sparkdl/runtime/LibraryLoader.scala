package org.sparkdl.runtime

import java.nio.file.Path
import java.util.concurrent.{ExecutionException, FutureTask}

/** Loads a native library once per JVM, for all threads.
  *
  * A separate thread does it, which is never interrupted: Spark interrupts the tasks that it kills, and a class whose
  * initializer is interrupted while it unpacks its library is lost to the JVM. Callers that wait may be interrupted;
  * the next one finds the library loaded, or waits for the same attempt.
  *
  * A failure is final only where it is for the JVM: it never initializes a class again after a LinkageError. Whatever
  * else goes wrong (a full disk, a directory that cannot be written) can be fixed, so the next caller tries again.
  */
final private[runtime] class LibraryLoader(load: Path => Unit) {
  @volatile private var loaded = false
  private var attempt: Option[FutureTask[Unit]] = None

  /** Returns when the library is loaded; throws what `load` threw, or InterruptedException to a caller that is
    * interrupted while it waits.
    */
  def apply(directory: Path): Unit = if (!loaded) {
    try currentAttempt(directory).get()
    catch { case e: ExecutionException => throw e.getCause }
    loaded = true
  }

  private def currentAttempt(directory: Path): FutureTask[Unit] = synchronized {
    val task = attempt.getOrElse(start(directory))
    attempt = Some(task)
    task
  }

  private def start(directory: Path): FutureTask[Unit] = {
    val task = new FutureTask[Unit](() => loadOrForget(directory))
    val thread = new Thread(task, "sparkdl-native-library")
    thread.setDaemon(true)
    thread.start()
    task
  }

  private def loadOrForget(directory: Path): Unit =
    try load(directory)
    catch {
      case e: LinkageError => throw e
      case e: Throwable    => forget(); throw e
    }

  private def forget(): Unit = synchronized { attempt = None }
}
