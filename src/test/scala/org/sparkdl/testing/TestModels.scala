package org.sparkdl.testing

import java.nio.file.{Files, Path}

import org.sparkdl.Model
import org.sparkdl.model.ReadOptions
import org.sparkdl.runtime.{DType, GraphDefs}

/** Small models, written node by node. */
object TestModels {

  /** y = x + x, float32 scalars per row of any shape that `Placeholder` gets ("unknown"): a graph with its shape
    * given.
    */
  def doubled(dtype: DType = DType.Float32, shape: Seq[Long] = Seq(-1L)): Model =
    load("doubled", Nil, _.placeholder("x", dtype, shape).node("AddV2", "y", Seq("x", "x"), Map("T" -> dtype)))

  /** z = x + y; two inputs. */
  def sum(shape: Seq[Long] = Seq(-1L)): Model = load("sum", Nil, sumGraph(_, shape))

  /** Its file. */
  def writeSum(): Path = write("sum", sumGraph(_, Seq(-1L)))

  private def sumGraph(g: GraphDefs, shape: Seq[Long]): GraphDefs = g
    .placeholder("x", DType.Float64, shape)
    .placeholder("y", DType.Float64, shape)
    .node("AddV2", "z", Seq("x", "y"), Map("T" -> DType.Float64))

  /** Two outputs: twice = x + x, square = x * x. */
  def twoOutputs: Model = load(
    "twoOutputs",
    Seq("twice", "square"),
    _.placeholder("x", DType.Float32, Seq(-1L))
      .node("AddV2", "twice", Seq("x", "x"), Map("T" -> DType.Float32))
      .node("Mul", "square", Seq("x", "x"), Map("T" -> DType.Float32))
  )

  /** The input itself. */
  def identity(dtype: DType, shape: Seq[Long]): Model =
    load("identity", Nil, _.placeholder("x", dtype, shape).node("Identity", "y", Seq("x"), Map("T" -> dtype)))

  /** Numbers from text; refuses text that is not a number. */
  def parse: Model = load(
    "parse",
    Nil,
    _.placeholder("text", DType.Str, Seq(-1L))
      .node("StringToNumber", "number", Seq("text"), Map("out_type" -> DType.Float32))
  )

  /** Writes a graph to a file and loads it as a user would. */
  def load(name: String, outputs: Seq[String], build: GraphDefs => GraphDefs): Model = {
    SparkSuite.session
    Model.load(write(name, build).toString, ReadOptions(outputs = outputs))
  }

  def write(name: String, build: GraphDefs => GraphDefs): Path = {
    val file = Files.createTempDirectory("sparkdl-test-").resolve(s"$name.pb")
    Files.write(file, build(new GraphDefs).toBytes)
  }
}
