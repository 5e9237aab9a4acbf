package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}

import scala.util.Using

import org.tensorflow.proto.GraphDef

import org.sparkdl.files.{LocalFiles, MadeFolders, Sha256}
import org.sparkdl.runtime.TfGraph

/** Graphs that are built in this process, as files for the engine: one per content, as long as anything has it. */
private[sparkdl] object StoredGraphs {
  private val folders = new MadeFolders("sparkdl-graphs-")

  /** Writes a serialized GraphDef, unless it is there already. */
  def store(graphDef: Array[Byte]): GraphFiles = stored(Sha256.of(graphDef))(Files.write(_, graphDef))

  /** The file of a serialized GraphDef, moved here unless there is one already. */
  private[model] def takeOver(file: Path, graphDef: Array[Byte]): GraphFiles =
    stored(Sha256.of(graphDef))(Files.move(file, _))

  /** A model with another graph: links to the files of the one in `files`, which must stay, beside a file of its own.
    */
  private[model] def store(files: GraphFiles, graph: GraphDef): GraphFiles =
    if (files.isSavedModel) savedModel(files, graph)
    else holding(frozen(graph, files.weights).copy(prepared = files.prepared), files)

  /** Writes a GraphDef, whose constants may be in a mapped file: its bytes are never all on the heap. */
  private def frozen(graph: GraphDef, weights: Option[Path]): GraphFiles = {
    val temporary = Files.createTempFile(folders.root, ".graph-", ".pb")
    try {
      Using.resource(Files.newOutputStream(temporary))(graph.writeTo(_))
      stored(Sha256.of(temporary), weights)(Files.move(temporary, _))
    } finally { Files.deleteIfExists(temporary); () }
  }

  /** The file of this hash, which `write` writes unless it is there already. */
  private def stored(hash: String, weights: Option[Path] = None)(write: Path => Path): GraphFiles = {
    val folder = folders.folder(nameOf(hash, weights)) { d =>
      write(d.resolve(GraphFiles.Graph))
      weights.foreach(link(_, d.resolve(TfGraph.WeightsFile)))
    }
    val graph = Paths.get(folder.path).resolve(GraphFiles.Graph)
    GraphFiles(hash, graph, Nil).copy(hasWeights = weights.isDefined, held = Seq(folder))
  }

  private def savedModel(files: GraphFiles, graph: GraphDef): GraphFiles = {
    val content = SavedModels.withGraph(files.path, files.tags, graph).toByteArray
    val hash = Sha256.of(files.hash.getBytes("UTF-8") ++ content)
    val folder = folders.folder(nameOf(hash, Some(files.path))) { d =>
      LocalFiles.list(files.path).foreach(f => link(f, d.resolve(files.path.relativize(f).toString)))
      Files.delete(d.resolve(SavedModels.Graph))
      Files.write(d.resolve(SavedModels.Graph), content)
      ()
    }
    holding(GraphFiles(hash, folder.path, files.tags).copy(held = Seq(folder)), files)
  }

  /** Of a folder, which has links to what is in another one, or none: equal files elsewhere may outlive that one. */
  private def nameOf(hash: String, linked: Option[Path]): String =
    hash + linked.fold("")(path => s"-${Sha256.of(path.toAbsolutePath.toString.getBytes("UTF-8")).take(8)}")

  /** Files with links to others. */
  private def holding(files: GraphFiles, others: GraphFiles) = files.copy(held = files.held ++ others.held)

  private def link(file: Path, at: Path): Unit = {
    Files.createDirectories(at.getParent)
    Files.createSymbolicLink(at, file.toAbsolutePath)
    ()
  }
}
