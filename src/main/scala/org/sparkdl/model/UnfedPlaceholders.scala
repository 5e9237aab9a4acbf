package org.sparkdl.model

import java.util.concurrent.ConcurrentHashMap

import org.sparkdl.errors.SchemaMismatchException
import org.sparkdl.runtime.DType
import org.sparkdl.tensor.TensorSpec

/** Placeholders that outputs need and nothing feeds: TensorFlow would refuse every batch, in the executors. */
private[sparkdl] object UnfedPlaceholders {

  /** Graphs are walked once per process for the same inputs and outputs. */
  private val cache =
    new ConcurrentHashMap[(String, Set[String], Seq[(String, String)]), Seq[(Placeholder, Seq[String])]]

  /** Throws SchemaMismatchException when `outputs` need a placeholder that is none of the inputs.
    *
    * @param inputs
    *   what is fed
    */
  def check(model: ModelDefinition, inputs: Seq[TensorSpec], outputs: Seq[TensorSpec]): Unit = {
    val fed = (inputs.map(_.tensor) ++ model.random.flatMap(_.seed)).toSet
    val key = (model.graph.hash, fed, outputs.map(o => o.name -> o.tensor))
    val unfed = cache.computeIfAbsent(key, _ => find(model.graph, fed, outputs))
    if (unfed.nonEmpty) throw new SchemaMismatchException(message(model.name, unfed))
  }

  private def find(
      files: GraphFiles,
      fed: Set[String],
      outputs: Seq[TensorSpec]
  ): Seq[(Placeholder, Seq[String])] = {
    val nodes = new GraphNodes(GraphNodes.graphOf(files))
    val needs = outputs.flatMap(o => nodes.unfed(o.tensor, fed).map(_ -> o.name))
    needs.map(_._1).distinct.map(p => p -> needs.collect { case (`p`, output) => output }.distinct)
  }

  private def message(model: String, unfed: Seq[(Placeholder, Seq[String])]): String = {
    val needs = unfed.map { case (placeholder, outputs) =>
      s"output${if (outputs.size > 1) "s" else ""} ${outputs.map(o => s"'$o'").mkString(", ")} need" +
        s"${if (outputs.size > 1) "" else "s"} '${placeholder.name}' (${placeholder.typeString})"
    }
    val examples = unfed.map { case (placeholder, _) => s""""${placeholder.name}": ${example(placeholder)}""" }
    s"Model '$model' has placeholders that no column feeds: ${needs.mkString("; ")}. Give each a value with constants, in " +
      s"Python constants={${examples.mkString(", ")}} (TFTransformer, TFImageTransformer, load_model, save_bundle, the " +
      "functions that register; Model.load's ReadOptions and setConstants in Scala), or feed it from a column as an input."
  }

  private def example(placeholder: Placeholder): String = {
    val scalar = placeholder.dtype match {
      case Some(DType.Bool)                                                            => "False"
      case Some(DType.Str)                                                             => "\"text\""
      case Some(DType.Float32 | DType.Float64 | DType.Float16 | DType.BFloat16) | None => "1.0"
      case Some(_)                                                                     => "1"
    }
    placeholder.shape.filter(_.nonEmpty).fold(scalar)(_.foldLeft(scalar)((inner, _) => s"[$inner, ...]"))
  }
}
