package org.sparkdl.model

import java.nio.file.{Files, Path}

import org.tensorflow.proto.GraphDef

import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{NativeLibrary, TfException, TfGraph, TfOutput}
import org.sparkdl.tensor.TensorSpec

/** Frozen GraphDefs: a file without a signature, so inputs and outputs are given or found in the graph. */
private[model] object FrozenGraphs {

  /** Reads the signature of a frozen graph.
    *
    * @param inputs
    *   names of tensors; when empty, all placeholders
    * @param outputs
    *   names of tensors; when empty, what no other operation consumes
    */
  def read(file: Path, inputs: Seq[String], outputs: Seq[String]): ModelDefinition = {
    val graph = open(file)
    try {
      val in = if (inputs.nonEmpty) inputs.map(required(file, graph, _)) else placeholders(graph)
      val out = if (outputs.nonEmpty) outputs.map(required(file, graph, _)) else sinks(graph)
      val (files, random) = drawing(file, graph, out.map(_.name))
      ModelDefinition.checked(
        ModelDefinition(
          name = file.getFileName.toString.stripSuffix(".pb"),
          graph = files,
          inputs = in.map(spec(file, _)),
          outputs = out.map(spec(file, _)),
          source = Map("kind" -> "frozen graph"),
          random = random
        )
      )
    } finally graph.close()
  }

  private def open(file: Path): TfGraph = {
    NativeLibrary.load()
    try TfGraph.fromFile(file)
    catch {
      case e: TfException         => fail(file, s"TensorFlow cannot import it: ${e.getMessage}")
      case e: java.io.IOException => fail(file, s"it cannot be read: ${e.getMessage}")
    }
  }

  private def placeholders(graph: TfGraph): Seq[TfOutput] =
    graph.operations.collect { case (name, "Placeholder") if name != RandomDraws.Seed => graph.output(name) }.flatten

  /** The graph without the seeds of operations that draw, and what draws in it. */
  private def drawing(file: Path, graph: TfGraph, outputs: Seq[String]): (GraphFiles, Option[RandomDraws]) = {
    val seed = graph.output(RandomDraws.Seed).map(_.name)
    val same = GraphFiles(Sha256.of(file), file, Nil)
    if (!DrawingNodes.mayBeAmong(graph.operations.map(_._2))) same -> RandomDraws.of(seed, Nil)
    else {
      val parsed = GraphDef.parseFrom(Files.readAllBytes(file))
      val free = DrawingNodes.withoutSeeds(parsed)
      val files = if (free eq parsed) same else StoredGraphs.store(free.toByteArray)
      files -> DrawingNodes.of(parsed, outputs, seed)
    }
  }

  private def sinks(graph: TfGraph): Seq[TfOutput] = graph.operations.flatMap {
    case (_, "Placeholder" | "NoOp" | "Const" | "Assert") => None
    case (name, _)                                        => graph.output(name).filter(graph.consumers(_) == 0)
  }

  private def required(file: Path, graph: TfGraph, name: String): TfOutput = graph.output(name).getOrElse {
    val near = graph.operations.map(_._1).filterNot(_.contains("/")).takeRight(20)
    fail(file, s"it has no tensor '$name'; some that it has: ${near.mkString(", ")}")
  }

  private def spec(file: Path, output: TfOutput): TensorSpec = {
    val dtype = output.dtype.getOrElse(
      fail(file, s"tensor '${output.name}' has a type that cannot be a column (TF_DataType ${output.dtypeCode})")
    )
    val (op, index) = TfGraph.split(output.name)
    TensorSpec(if (index == 0) op else output.name, output.name, dtype, Option(output.shape).map(_.toSeq))
  }

  private def fail(file: Path, why: String): Nothing =
    throw new InvalidModelException(s"Cannot read the frozen graph '$file': $why.")
}
