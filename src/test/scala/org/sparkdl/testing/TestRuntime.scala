package org.sparkdl.testing

import org.sparkdl.runtime.NativeRuntime

/** TensorFlow for suites that need no session. */
object TestRuntime {
  val runtime: NativeRuntime = NativeRuntime(directory = "", intraOpThreads = 1)
}
