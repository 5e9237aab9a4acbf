package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.util.Using

import org.tensorflow.proto.GraphDef

import org.sparkdl.files.{LocalFiles, Sha256}
import org.sparkdl.runtime.TfGraph

/** Graphs that are built in this process, as files for the engine: one per content, removed when the process ends. */
private[sparkdl] object StoredGraphs {

  /** Writes a serialized GraphDef, unless it is there already. */
  def store(graphDef: Array[Byte]): GraphFiles = stored(Sha256.of(graphDef))(Files.write(_, graphDef))

  /** The file of a serialized GraphDef, moved here unless there is one already. */
  private[model] def takeOver(file: Path, graphDef: Array[Byte]): GraphFiles =
    stored(Sha256.of(graphDef))(Files.move(file, _))

  /** A model with another graph: links to the files of the one in `files`, which must stay, beside a file of its own.
    */
  private[model] def store(files: GraphFiles, graph: GraphDef): GraphFiles =
    if (files.isSavedModel) savedModel(files, graph)
    else frozen(graph, files.weights).copy(prepared = files.prepared)

  /** Writes a GraphDef, whose constants may be in a mapped file: its bytes are never all on the heap. */
  private def frozen(graph: GraphDef, weights: Option[Path]): GraphFiles = {
    val temporary = Files.createTempFile(root, ".graph-", ".pb")
    try {
      Using.resource(Files.newOutputStream(temporary))(graph.writeTo(_))
      stored(Sha256.of(temporary), weights)(Files.move(temporary, _))
    } finally { Files.deleteIfExists(temporary); () }
  }

  /** The file of this hash, which `write` writes unless it is there already. */
  private def stored(hash: String, weights: Option[Path] = None)(write: Path => Path): GraphFiles = {
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d =>
      write(d.resolve(GraphFiles.Graph))
      weights.foreach(link(_, d.resolve(TfGraph.WeightsFile)))
    }
    GraphFiles(hash, directory.resolve(GraphFiles.Graph), Nil).copy(hasWeights = weights.isDefined)
  }

  private def savedModel(files: GraphFiles, graph: GraphDef): GraphFiles = {
    val content = SavedModels.withGraph(files.path, files.tags, graph).toByteArray
    val hash = Sha256.of(files.hash.getBytes("UTF-8") ++ content)
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d =>
      LocalFiles.list(files.path).foreach(f => link(f, d.resolve(files.path.relativize(f).toString)))
      Files.delete(d.resolve(SavedModels.Graph))
      Files.write(d.resolve(SavedModels.Graph), content)
      ()
    }
    GraphFiles(hash, directory, files.tags)
  }

  private def link(file: Path, at: Path): Unit = {
    Files.createDirectories(at.getParent)
    Files.createSymbolicLink(at, file.toAbsolutePath)
    ()
  }

  private lazy val root: Path = {
    val directory = Files.createTempDirectory("sparkdl-graphs-")
    sys.addShutdownHook(LocalFiles.deleteTree(directory))
    directory
  }
}
