package org.sparkdl.tensorframes

import java.nio.file.Files
import java.util.{Map => JMap}

import scala.annotation.varargs
import scala.jdk.CollectionConverters._

import org.sparkdl.Sessions
import org.sparkdl.errors.{InvalidModelException, SparkDLException}
import org.sparkdl.model.{GraphFiles, ModelReader, ModelTrust, ProgramGraph}
import org.sparkdl.runtime.{NativeRuntime, TensorName}
import org.sparkdl.tensorframes.dsl.{BuiltGraph, Operation}

/** A TensorFlow program for the columns of a DataFrame: a frozen graph, the tensors that are fetched from it, and
  * which placeholder takes which column (by default the one of its name).
  *
  * {{{
  * val program = Program.fromFile("add.pb", "z").feed("x", "price")
  * df.mapBlocks(program)
  * }}}
  *
  * Immutable: `feed` and `withConstants` return a changed copy. Any number of threads may use it.
  */
final class Program private (
    private[tensorframes] val graph: ProgramGraph,
    private[tensorframes] val fetches: Seq[Fetch],
    private[tensorframes] val feeds: Map[String, String]
) {

  /** Names of the outputs, in the order in which they were asked for. */
  def outputs: Seq[String] = fetches.map(_.name)

  /** Feeds a placeholder from a column of another name.
    *
    * @param placeholder
    *   the operation's name in the graph, "x" or "x:0"
    */
  def feed(placeholder: String, column: String): Program = {
    val name = TensorName.short(placeholder)
    val changed = new Program(graph, fetches, feeds + (name -> column))
    changed.requireFeedable(name)
    changed
  }

  /** Gives placeholders the same value for all rows, such as `keep_prob` of dropout; no column feeds them then.
    *
    * @param constants
    *   by the placeholders' names in the graph: numbers, texts, booleans, or (nested) sequences and arrays of them
    */
  def withConstants(constants: Map[String, Any]): Program =
    if (constants.isEmpty) this
    else new Program(graph.withConstants(constants, feeds.keys.toSeq), fetches, feeds)

  /** The same for Java. */
  def withConstants(constants: JMap[String, _]): Program = withConstants(constants.asScala.toMap[String, Any])

  override def toString: String = s"Program(${fetches.map(f => s"${f.name} = ${f.tensor}").mkString(", ")})"

  private[tensorframes] def tensors: Seq[String] = fetches.map(_.tensor)

  private[tensorframes] def files: GraphFiles = graph.files(tensors)

  /** The same with the outputs in the order of their names. */
  private[tensorframes] def sorted: Program = new Program(graph, fetches.sortBy(_.name), feeds)

  private def requireFeedable(name: String): Unit = {
    graph.operation(name) match {
      case None                                           => fail(s"its graph has no placeholder '$name'; $needed")
      case Some("Placeholder" | "PlaceholderWithDefault") =>
      case Some(op) => fail(s"'$name' is not a placeholder but an operation of type $op; $needed")
    }
    if (!graph.placeholders(tensors, feeds.keySet).exists(_.name == name))
      fail(s"placeholder '$name' is not needed for its outputs ${outputs.mkString(", ")}; $needed")
  }

  private def needed: String = {
    val names = graph.placeholders(tensors, Set.empty).map(_.name)
    if (names.isEmpty) "they need no placeholder. Leave this feed out." else s"they need: ${names.mkString(", ")}."
  }

  private def fail(why: String): Nothing = throw new SparkDLException(s"Cannot feed a column to the program: $why")
}

/** An output: the name of its column, and the tensor, "op:index". */
final private[tensorframes] case class Fetch(name: String, tensor: String)

object Program {

  /** Reads a frozen graph (.pb, any Hadoop path).
    *
    * @param fetches
    *   the outputs: names of operations, or of tensors ("op:1"); their columns are named so, without ":0"
    */
  @varargs def fromFile(path: String, fetches: String*): Program = {
    val session = Sessions.current
    ModelReader.localFile(path, session.sparkContext.hadoopConfiguration).using { local =>
      if (!Files.isRegularFile(local))
        throw new InvalidModelException(s"'$path' is not a program: expected the file of a frozen graph (.pb).")
      ModelTrust.checkFile(path, local)
      fromBytes(Files.readAllBytes(local), fetches: _*)
    }
  }

  /** Like `fromFile`, of a serialized GraphDef. */
  @varargs def fromBytes(graphDef: Array[Byte], fetches: String*): Program =
    named(graphDef, fetches.map(f => TensorName.short(f) -> f))

  /** A program of operations written with [[org.sparkdl.tensorframes.dsl]]; the outputs are named as they are.
    *
    * Placeholders made for a column (`df.block("x")`) take it, others the column of their name.
    */
  @varargs def of(fetches: Operation*): Program = {
    val built = BuiltGraph.of(fetches)
    built.feeds.foldLeft(named(built.graphDef, built.outputs)) { case (program, (placeholder, column)) =>
      program.feed(placeholder, column)
    }
  }

  /** A program whose outputs have names other than their tensors'.
    *
    * @param fetches
    *   (output, tensor)
    */
  private[sparkdl] def named(graphDef: Array[Byte], fetches: Seq[(String, String)]): Program =
    named(ProgramGraph(NativeRuntime.of(Sessions.settings), graphDef), fetches)

  /** The same for a graph that was already read. */
  private[sparkdl] def named(graph: ProgramGraph, fetches: Seq[(String, String)]): Program = {
    val wanted = fetches.map { case (name, tensor) => Fetch(name, TensorName.indexed(tensor)) }
    check(graph, wanted)
    new Program(graph, wanted, Map.empty)
  }

  private def check(graph: ProgramGraph, fetches: Seq[Fetch]): Unit = {
    if (fetches.isEmpty) throw new SparkDLException("A program needs at least one output: name what to fetch.")
    val duplicates = fetches.map(_.name).diff(fetches.map(_.name).distinct).distinct
    if (duplicates.nonEmpty)
      throw new SparkDLException(
        s"Outputs of a program need different names, got twice: ${duplicates.mkString(", ")}. Fetch each once."
      )
    fetches.foreach(f => if (graph.operation(TensorName.operation(f.tensor)).isEmpty) missing(graph, f))
    val variables = graph.variables(fetches.map(_.tensor), Set.empty)
    if (variables.nonEmpty)
      throw new InvalidModelException(
        s"The program's graph is not frozen: it has the variables ${variables.take(5).mkString(", ")}, whose values are " +
          "not in the GraphDef. Freeze it: tf.compat.v1.graph_util.convert_variables_to_constants for a session's graph, " +
          "or give the graph to sparkdl.tensorframes in Python, which does it."
      )
  }

  private def missing(graph: ProgramGraph, fetch: Fetch): Nothing = throw new InvalidModelException(
    s"The program's graph has no tensor '${TensorName.short(fetch.tensor)}'. Operations with similar names: " +
      s"${graph.similarNames(TensorName.operation(fetch.tensor)).mkString(", ")}."
  )
}
