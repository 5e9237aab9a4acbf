package org.sparkdl.runtime

import org.scalatest.funsuite.AnyFunSuite

class TaskThreadsSuite extends AnyFunSuite {

  test("task slots follow the master") {
    assert(TaskThreads.coresOfLocal("local") == Some(1) && TaskThreads.coresOfLocal("local[3]") == Some(3))
    assert(
      TaskThreads.coresOfLocal("local[4,2]") == Some(4) && TaskThreads.coresOfLocal(
        "local-cluster[2,5,1024]"
      ) == Some(5)
    )
    assert(TaskThreads.coresOfLocal("local[*]") == Some(Runtime.getRuntime.availableProcessors()))
    assert(TaskThreads.coresOfLocal("yarn").isEmpty)
  }
}
