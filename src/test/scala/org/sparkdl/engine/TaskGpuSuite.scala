package org.sparkdl.engine

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Version
import org.sparkdl.errors.NativeLibraryException

class TaskGpuSuite extends AnyFunSuite {
  private def number(address: String, visible: Option[String] = None, seen: Int = 4) =
    TaskGpu.numberOf(Seq(address), turn = 0, visible, seen)

  test("a number counts the GPUs that CUDA shows, as TensorFlow counts them") {
    assert(number("2") == 2)
    assert(number("1", visible = Some("6,7"), seen = 2) == 1)
  }

  test("another address is looked for in CUDA_VISIBLE_DEVICES") {
    assert(number("GPU-b", visible = Some("GPU-a, GPU-b"), seen = 2) == 1)
  }

  test("tasks that are given no GPU share the first, and tasks with several in local mode take turns") {
    assert(TaskGpu.numberOf(Nil, turn = 3, None, seen = 2) == 0)
    assert((0 to 3).map(TaskGpu.numberOf(Seq("0", "1"), _, None, seen = 2)) == Seq(0, 1, 0, 1))
  }

  test("an address that TensorFlow does not know is refused with what to print instead") {
    Seq(() => number("7"), () => number("GPU-c", visible = Some("GPU-a"))).foreach { ask =>
      val message = intercept[NativeLibraryException](ask()).getMessage
      assert(message.contains("but TensorFlow sees 4 GPU(s)") && message.contains("has to print numbers from 0 on"))
    }
  }

  test("the library for GPUs without one fails with the reason and the way to CPUs") {
    val message = intercept[NativeLibraryException](TaskGpu.numberOf(Nil, turn = 0, None, seen = 0)).getMessage
    assert(message.contains("no GPU can be used: it has no NVIDIA card"))
    assert(message.contains(s"take org.sparkdl:sparkdl-native-linux-x86_64-gpu:${Version.current} out of"))
  }
}
