package org.sparkdl.runtime

import scala.collection.mutable.ArrayBuffer

import org.scalatest.funsuite.AnyFunSuite

class CloseablesSuite extends AnyFunSuite {
  private val closed = new ArrayBuffer[Int]

  private def thing(number: Int): AutoCloseable = () => {
    closed += number
    if (number == 2) throw new IllegalStateException("cannot be closed")
  }

  test("when one cannot be made, those before it are closed") {
    closed.clear()
    val e = intercept[IllegalArgumentException](Closeables.made(Seq(0, 1, 3, 4)) { number =>
      require(number < 3, "cannot be made")
      thing(number)
    })
    assert(e.getMessage.contains("cannot be made") && closed == Seq(0, 1))
  }

  test("when one cannot be closed, those after it are closed nevertheless") {
    closed.clear()
    val e = intercept[IllegalStateException](Closeables.close(Seq(1, 2, 3).map(thing)))
    assert(e.getMessage == "cannot be closed" && closed == Seq(1, 2, 3))
  }
}
