package org.sparkdl

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.errors.SettingsException

class SettingsSuite extends AnyFunSuite {
  private def reader(values: (String, String)*) = new Settings.Reader(values.toMap.get)

  test("defaults are those that are documented") {
    val s = reader()
    assert((s.batchSize, s.intraOpThreads, s.precision) == (0, 0, "float32"))
    assert(s.blocksMaxMemory == (256L << 10))
    assert(s.modelsMaxMemory == (4L << 30) && s.imageMaxPixels == 89478485L && s.nativeDir.isEmpty)
    assert(s.workersIdleSeconds == 600 && s.runTimeoutSeconds == 0)
    assert(s.modelsDir.endsWith(".sparkdl/models"))
  }

  test("values are read, and those that are not allowed are refused with the key, the value and what is expected") {
    val s = reader(
      "spark.sparkdl.batchSize" -> "8",
      "spark.sparkdl.precision" -> "bfloat16",
      "spark.sparkdl.models.maxMemory" -> "512m"
    )
    assert((s.batchSize, s.precision, s.modelsMaxMemory) == (8, "bfloat16", 512L << 20))
    def refused(key: String, value: String)(read: Settings.Reader => Any): String =
      intercept[SettingsException](read(reader(key -> value))).getMessage
    assert(
      refused("spark.sparkdl.batchSize", "-1")(_.batchSize)
        .contains("spark.sparkdl.batchSize = '-1': expected a whole number of at least 0")
    )
    assert(refused("spark.sparkdl.precision", "half")(_.precision).contains("expected 'float32' or 'bfloat16'"))
    assert(refused("spark.sparkdl.models.maxMemory", "lots")(_.modelsMaxMemory).contains("a size such as '4g'"))
    assert(reader("spark.sparkdl.workers.idleTimeout" -> "0s").workersIdleSeconds == 0)
    assert(
      refused("spark.sparkdl.runTimeout", "soon")(_.runTimeoutSeconds).contains("a time such as '5m'")
    )
    assert(
      refused("spark.sparkdl.workers.idleTimeout", "soon")(_.workersIdleSeconds).contains("a time such as '10m'")
    )
  }
}
