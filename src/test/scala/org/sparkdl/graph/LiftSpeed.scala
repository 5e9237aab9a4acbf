package org.sparkdl.graph

import scala.util.Random

import org.sparkdl.runtime.{GraphDefs, SessionConfig, TfGraph, TfSession}
import org.sparkdl.runtime.DType.{Float64, Int32}
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.TestRuntime.runtime

/** Measures the cost of a row for each way of lifting: `build/sbt "Test/runMain org.sparkdl.graph.LiftSpeed"`. */
object LiftSpeed {
  private val Rows = 1024
  private type Way = RowGraph => ((org.tensorflow.proto.GraphDef, Seq[String]), Boolean)

  private val ways = Seq[(String, Way)](
    "by rules" -> (Vectorizer.of(_).get -> false),
    "MapDefun" -> (MapDefunGraph.of(_).get -> false),
    "one by one" -> (OneRowGraph.of(_) -> true)
  )

  private val programs = Seq[(String, Seq[Long], GraphDefs => GraphDefs)](
    (
      "x + x, scalar",
      Nil,
      _.placeholder("x", Float64, Nil).node("AddV2", "y", Seq("x", "x"), Map("T" -> Float64))
    ),
    (
      "softmax(x * c), 100 numbers",
      Seq(100L),
      _.placeholder("x", Float64, Seq(100))
        .tensor("c", Float64, Seq(100), Seq.fill(100)(0.5))
        .node("Mul", "scaled", Seq("x", "c"), Map("T" -> Float64))
        .node("Softmax", "y", Seq("scaled"), Map("T" -> Float64))
    ),
    (
      "sum of 100 rows of 20 numbers",
      Seq(100L, 20L),
      _.placeholder("x", Float64, Seq(-1, 20))
        .const("axis", Int32, Seq(0))
        .node("Sum", "y", Seq("x", "axis"), Map("T" -> Float64, "Tidx" -> Int32))
    )
  )

  def main(args: Array[String]): Unit =
    for ((name, shape, build) <- programs; (way, lift) <- ways) {
      val x = TensorSpec("x", "x:0", Float64, Some(shape))
      val graph = build(new GraphDefs).toBytes
      val block = RowGraphs.lift(runtime, graph, Seq(x), Seq(TensorSpec("y", "y:0", Float64, None)))(lift)
      println(f"$name%-30s $way%-12s ${microseconds(block, shape)}%.3f us per row")
    }

  private def microseconds(block: BlockGraph, shape: Seq[Long]): Double = {
    val graph = TfGraph.fromBytes(runtime, block.graphDef)
    val session = TfSession.open(runtime, graph, SessionConfig())
    val run = session.prepare(graph.output("x").toSeq, graph.output(block.outputs.head.tensor).toSeq)
    val rows = if (block.oneByOne) 1 else Rows
    val in = Array(Value.random(Float64, rows.toLong +: shape, new Random(1)).tensor)
    val best = Seq
      .fill(200) {
        val start = System.nanoTime()
        run(in).foreach(_.close())
        (System.nanoTime() - start) / 1e3 / rows
      }
      .min
    session.close()
    graph.close()
    best
  }
}
