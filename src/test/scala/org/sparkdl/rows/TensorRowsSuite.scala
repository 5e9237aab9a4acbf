package org.sparkdl.rows

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.testing.Memory
import org.sparkdl.testing.TestRuntime.runtime

class TensorRowsSuite extends AnyFunSuite {

  test("the copies of a row's inputs are freed when a later input cannot be copied") {
    val row = TfTensor.allocate(runtime, DType.Float32, Array(1L, 4L << 20)) // 16 MB
    val notOfRows = TfTensor.allocate(runtime, DType.Float32, Array.empty)
    TensorRows.repeated(runtime, Array(row), index = 0, times = 1).foreach(_.close())
    val before = Memory.nativeMB
    (1 to 32).foreach { _ =>
      intercept[UnsupportedOperationException](TensorRows.repeated(runtime, Array(row, notOfRows), 0, 1))
    }
    Seq(row, notOfRows).foreach(_.close())
    assert(Memory.nativeMB - before < 256)
  }
}
