package org.sparkdl.testing

import org.sparkdl.runtime.NativeRuntime

/** TensorFlow as suites use it that need no session. */
object TestRuntime {
  val runtime: NativeRuntime = NativeRuntime(directory = "", intraOpThreads = 1)
}
