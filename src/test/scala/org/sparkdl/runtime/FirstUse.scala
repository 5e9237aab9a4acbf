package org.sparkdl.runtime

import scala.util.Try

import org.sparkdl.Settings
import org.sparkdl.tensorframes.dsl._

/** The first uses of TensorFlow in a JVM, which [[FirstUseSuite]] starts for it; prints the result of each. */
object FirstUse {

  /** @param arguments
    *   a directory that cannot be made, since its parent is a file, and one that others may write
    */
  def main(arguments: Array[String]): Unit = {
    System.setProperty(Settings.nativeDir.key, arguments(0))
    say("dsl", Try(constant(1.0) + constant(2.0)))
    System.clearProperty(Settings.nativeDir.key)
    say("shared", Try(NativeRuntime(arguments(1), intraOpThreads = 0).version))
    val killed = new Thread(() => { Thread.currentThread().interrupt(); say("killed", load()) })
    killed.start()
    killed.join()
    say("next", load())
  }

  private def load() = Try(NativeRuntime(directory = "", intraOpThreads = 0).version)
  private def say(use: String, result: Try[Any]): Unit = println(s"$use: ${result.fold(_.toString, _.toString)}")
}
