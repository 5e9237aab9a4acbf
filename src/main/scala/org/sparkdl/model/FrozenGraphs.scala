package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.util.Using

import com.google.protobuf.TextFormat
import org.tensorflow.proto.GraphDef

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.files.Sha256
import org.sparkdl.runtime.{NativeRuntime, TensorName, TfException, TfGraph, TfOutput}
import org.sparkdl.tensor.TensorSpec

/** Frozen GraphDefs: a file without a signature, so its inputs and outputs are named by the user or found in the
  * graph.
  */
private[model] object FrozenGraphs {

  /** Reads the signature of a frozen graph: the inputs and outputs that are asked for, or else all placeholders, and
    * what no other operation consumes. Placeholders with constants are no longer placeholders.
    */
  def read(runtime: NativeRuntime, file: Path, options: ReadOptions): ModelDefinition = {
    val name = file.getFileName.toString.stripSuffix(".pb")
    val stored = withConstants(runtime, name, file, options)
    val graph = open(runtime, file, stored.path)
    try {
      val in = if (options.inputs.nonEmpty) options.inputs.map(required(file, graph, _)) else placeholders(graph)
      val out = if (options.outputs.nonEmpty) options.outputs.map(required(file, graph, _)) else sinks(graph)
      val inputs = in.map(spec(file, _))
      val (files, random) = runnableAndDraws(stored, graph, inputs, out.map(_.name))
      ModelDefinition.checked(
        ModelDefinition(
          name = name,
          graph = files,
          inputs = inputs,
          outputs = out.map(spec(file, _)),
          source = Map("kind" -> "frozen graph"),
          random = random
        )
      )
    } finally graph.close()
  }

  /** The bytes of a GraphDef that is written as text. */
  def fromText(file: Path): Array[Byte] = {
    val graph = GraphDef.newBuilder()
    try TextFormat.merge(Files.readString(file), graph)
    catch { case e: java.io.IOException => fail(file, s"its text is not a GraphDef: ${e.getMessage}") }
    graph.build().toByteArray
  }

  private def withConstants(runtime: NativeRuntime, name: String, file: Path, options: ReadOptions): GraphFiles = {
    val beside = Using.resource(open(runtime, file, file))(_.filesBeside) // says what is wrong with the file
    val files = GraphFiles(Sha256.of(file), file, Nil).copy(hasWeights = beside.nonEmpty)
    Constants.inGraph(name, files, Nil, options).files
  }

  /** @param content
    *   where the graph is that was made from the file
    */
  private def open(runtime: NativeRuntime, file: Path, content: Path): TfGraph =
    try TfGraph.outline(runtime, content)
    catch {
      case e: TfException         => fail(file, s"TensorFlow cannot import it: ${e.getMessage}")
      case e: java.io.IOException => fail(file, s"it cannot be read: ${e.getMessage}")
    }

  private def placeholders(graph: TfGraph): Seq[TfOutput] =
    graph.operations.collect { case (name, "Placeholder") if name != RandomDraws.Seed => graph.output(name) }.flatten

  /** The graph without the seeds of operations that draw and without false fusions, and with checks of windows; and
    * what draws in it.
    */
  private def runnableAndDraws(
      stored: GraphFiles,
      graph: TfGraph,
      inputs: Seq[TensorSpec],
      outputs: Seq[String]
  ): (GraphFiles, Option[RandomDraws]) = {
    val seed = graph.output(RandomDraws.Seed).map(_.name)
    val types = graph.operations.map(_._2)
    if (!DrawingNodes.mayDraw(types) && !FalseFusions.mayHave(types) && !WindowChecks.mayNeed(types))
      stored -> RandomDraws.of(seed, Nil)
    else {
      val parsed = MappedProtos.graphDef(stored.path)
      val runnable = WindowChecks.in(FalseFusions.without(DrawingNodes.withoutSeeds(parsed)), inputs)
      val files = if (runnable eq parsed) stored else StoredGraphs.store(stored, runnable)
      files -> DrawingNodes.of(parsed, outputs, seed)
    }
  }

  private def sinks(graph: TfGraph): Seq[TfOutput] = graph.operations.flatMap {
    case (_, "Placeholder" | "NoOp" | "Const" | "Assert") => None
    case (name, _)                                        => graph.output(name).filter(graph.consumers(_) == 0)
  }

  private def required(file: Path, graph: TfGraph, name: String): TfOutput = graph.output(name).getOrElse {
    val someNames = graph.operations.map(_._1).filterNot(_.contains("/")).takeRight(20)
    fail(file, s"it has no tensor '$name'; some that it has: ${someNames.mkString(", ")}")
  }

  private def spec(file: Path, output: TfOutput): TensorSpec = {
    val dtype = output.dtype.getOrElse(
      fail(file, s"tensor '${output.name}' has a type that cannot be a column (TF_DataType ${output.dtypeCode})")
    )
    TensorSpec(TensorName.short(output.name), output.name, dtype, Option(output.shape).map(_.toSeq))
  }

  private def fail(file: Path, why: String): Nothing =
    throw new InvalidModelException(s"Cannot read the frozen graph '$file': $why.")
}
