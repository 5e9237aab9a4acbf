package org.sparkdl

import org.sparkdl.runtime.NativeRuntime
import org.sparkdl.testing.SparkSuite

class SessionsSuite extends SparkSuite {

  test("the settings are those of the current session") {
    assert(!spark.sparkContext.isStopped)
    val session = Sessions.current
    session.conf.set(Settings.nativeDir.key, "/somewhere/native")
    session.conf.set(Settings.intraOpThreads.key, "3")
    try {
      assert(NativeRuntime.of(Sessions.settings) == NativeRuntime("/somewhere/native", intraOpThreads = 3))
      assert(Sessions.settingsOf(session.newSession()).nativeDir.isEmpty)
    } finally Seq(Settings.nativeDir, Settings.intraOpThreads).foreach(s => session.conf.unset(s.key))
  }
}
