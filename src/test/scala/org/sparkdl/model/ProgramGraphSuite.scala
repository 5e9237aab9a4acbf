package org.sparkdl.model

import java.nio.file.{Files, Path}

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.TestRuntime.runtime

class ProgramGraphSuite extends AnyFunSuite {
  private val folder: Path = Files.createTempDirectory("sparkdl-program-graphs-")

  private def written(content: Array[Byte]): Path = Files.write(folder.resolve("program.pb"), content)

  private val graph = new GraphDefs()
    .placeholder("x", DType.Float64, Seq(-1L))
    .node("AddV2", "z", Seq("x", "x"), Map("T" -> DType.Float64))
    .toBytes

  test("a file that is taken over is the graph of its bytes, and is gone") {
    val file = written(graph)
    val files = ProgramGraph.takeOver(runtime, file).files(Seq("z:0"))
    assert(!Files.exists(file))
    assert(files.hash == ProgramGraph(runtime, graph).files(Seq("z:0")).hash)
    assert(Files.readAllBytes(files.path).sameElements(graph))
  }

  test("a file of the same graph is taken over, too") {
    val first = ProgramGraph.takeOver(runtime, written(graph)).files(Seq("z:0"))
    val again = written(graph)
    assert(ProgramGraph.takeOver(runtime, again).files(Seq("z:0")) == first)
    assert(!Files.exists(again))
  }

  test("a file that is not a graph is deleted, too") {
    val file = written(Array[Byte](1, 2, 3))
    val error = intercept[InvalidModelException](ProgramGraph.takeOver(runtime, file))
    assert(error.getMessage.contains("Cannot use the program's graph: the bytes are not a serialized GraphDef"))
    assert(!Files.exists(file))
  }
}
