package org.sparkdl.runtime

import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite
import org.tensorflow.proto.DataType

import org.sparkdl.testing.Memory
import org.sparkdl.testing.TestRuntime.runtime

class TfRunSuite extends AnyFunSuite {

  /** "large" and "another" have 16 MB each; "complex" and "wide" are no tensors that are read. */
  private def graph: TfGraph = {
    val float = Map("T" -> DType.Float32)
    val filled = float + ("index_type" -> DType.Int64)
    TfGraph.fromBytes(
      runtime,
      new GraphDefs()
        .const("one", DType.Float32, Seq(1), vector = false)
        .const("many", DType.Int64, Seq(4 << 20))
        .const("no_rows", DType.Int64, Seq(0, math.pow(2, 32)))
        .node("Fill", "large", Seq("many", "one"), filled)
        .node("Neg", "another", Seq("large"), float)
        .node("Fill", "wide", Seq("no_rows", "one"), filled)
        .node("Cast", "complex", Seq("one"), Map("SrcT" -> DType.Float32, "DstT" -> DataType.DT_COMPLEX64))
        .toBytes
    )
  }

  test("all outputs of a run are freed when one of them cannot be read, and the error says why") {
    Using.resource(graph) { graph =>
      Using.resource(TfSession.open(runtime, graph, SessionConfig(optimizer = GraphOptimizer.Off))) { session =>
        def run(outputs: String*): Array[TfTensor] =
          session.prepare(Nil, outputs.map(graph.output(_).get))(Array.empty)
        def refusals(output: String): Seq[String] =
          (1 to 16).map(_ => intercept[TfException](run("large", output, "another")).getMessage).distinct
        run("large", "another").foreach(_.close())
        val before = Memory.nativeMB
        assert(refusals("complex") == Seq("the model returned a tensor of an unsupported type (TF_DataType 8)"))
        assert(refusals("wide") == Seq("the model returned a tensor that is too large: [0, 4294967296]"))
        assert(Memory.nativeMB - before < 512) // of 1 GB
      }
    }
  }
}
