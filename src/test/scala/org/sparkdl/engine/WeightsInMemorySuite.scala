package org.sparkdl.engine

import java.io.RandomAccessFile

import scala.util.Using

import org.sparkdl.Model
import org.sparkdl.model.ReadOptions
import org.sparkdl.runtime.{DType, NativeRuntime, TfGraph, TfTensor}
import org.sparkdl.testing.{Memory, SparkSuite, TestModels}
import org.sparkdl.testing.TestRuntime.runtime

class WeightsInMemorySuite extends SparkSuite {
  private val settings = EngineSettings(runtime, maxMemory = 1L << 30)
  private val (inputs, units) = (4096L, 8192L)

  test(
    "weights are in memory once for any outputs and both precisions: 1.3 times their size, and the form for bfloat16"
  ) {
    run(TestModels.doubled(), Seq("y:0"), width = 0).close() // TensorFlow is loaded
    Engine.closeUnused()
    NativeRuntime.trimMemory() // what other suites have freed would hide what is taken
    val model = Model.load(layer(), ReadOptions(outputs = Seq("y", "sum")))
    val weightsMB = (inputs * units * 4) >> 20
    val before = Memory.nativeMB
    def taken(precision: String): Double = {
      Seq("y:0", "sum:0").foreach(output => run(model, Seq(output), inputs, precision).close())
      (Memory.nativeMB - before).toDouble / weightsMB
    }
    assert(taken("float32") <= 1.3)
    // The weight's other form, half as large, is made in each run. TensorFlow keeps its memory for the next.
    assert(taken("bfloat16") <= 1.3 + 0.5)
    Engine.closeUnused()
  }

  private def run(model: Model, outputs: Seq[String], width: Long, precision: String = "float32"): Engine.Lease = {
    val lease =
      Engine.acquire(ShippedModel.of(spark.sparkContext, model.name, model.definition.graph), precision, settings)
    val in = TfTensor.allocate(runtime, DType.Float32, 1L +: Array(width).filter(_ > 0))
    val results = lease.model.run(Seq("x:0"), outputs)(Array(in))
    (in +: results.toSeq).foreach(_.close())
    lease
  }

  /** A dense layer of zeros, which take no room on a disk. */
  private def layer(): String = {
    val float = Map("T" -> DType.Float32)
    val weight = Map("dtype" -> DType.Float32, "shape" -> Seq(inputs, units), TfGraph.OffsetAttribute -> 0L)
    val file = TestModels.write(
      "layer",
      _.placeholder("x", DType.Float32, Seq(-1L, inputs))
        .node("Placeholder", "w", Nil, weight)
        .const("axis", DType.Int32, Seq(1))
        .node("MatMul", "y", Seq("x", "w"), float)
        .node("Sum", "sum", Seq("y", "axis"), float + ("Tidx" -> DType.Int32))
    )
    Using.resource(new RandomAccessFile(file.resolveSibling(TfGraph.WeightsFile).toFile, "rw")) {
      _.setLength(inputs * units * 4)
    }
    file.toString
  }
}
