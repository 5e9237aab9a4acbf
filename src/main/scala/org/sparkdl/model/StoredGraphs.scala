package org.sparkdl.model

import java.nio.file.{Files, Path, StandardCopyOption}

import scala.util.Using

import org.tensorflow.proto.GraphDef

import org.sparkdl.files.{LocalFiles, Sha256}

/** Graphs that are made in this process, as files for the engine: one per content, removed when the process ends. */
private[sparkdl] object StoredGraphs {

  /** Writes a serialized GraphDef, unless it is there already. */
  def store(graphDef: Array[Byte]): GraphFiles = {
    val hash = Sha256.of(graphDef)
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d => Files.write(d.resolve(Name), graphDef); () }
    GraphFiles(hash, directory.resolve(Name), Nil)
  }

  /** The file of a serialized GraphDef, moved here unless there is one already. */
  private[model] def take(file: Path, graphDef: Array[Byte]): GraphFiles = {
    val hash = Sha256.of(graphDef)
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d => Files.move(file, d.resolve(Name)); () }
    GraphFiles(hash, directory.resolve(Name), Nil)
  }

  /** Writes a GraphDef, whose constants may be in a mapped file: its bytes are never on the heap together. */
  private[model] def store(graph: GraphDef): GraphFiles = {
    val written = Files.createTempFile(root, ".graph-", ".pb")
    try {
      Using.resource(Files.newOutputStream(written))(graph.writeTo(_))
      val hash = Sha256.of(written)
      val directory = root.resolve(hash)
      if (!Files.exists(directory)) LocalFiles.atomically(directory) { d =>
        Files.move(written, d.resolve(Name), StandardCopyOption.REPLACE_EXISTING); ()
      }
      GraphFiles(hash, directory.resolve(Name), Nil)
    } finally { Files.deleteIfExists(written); () }
  }

  /** A SavedModel with another graph: links to the files of the one in `files`, which must stay, besides its own. */
  private[model] def store(files: GraphFiles, graph: GraphDef): GraphFiles = {
    val content = SavedModels.withGraph(files.path, files.tags, graph).toByteArray
    val directory = root.resolve(Sha256.of(files.hash.getBytes("UTF-8") ++ content))
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d =>
      LocalFiles.list(files.path).foreach(f => link(f, d.resolve(files.path.relativize(f).toString)))
      Files.delete(d.resolve(SavedModels.Graph))
      Files.write(d.resolve(SavedModels.Graph), content)
      ()
    }
    SavedModels.files(directory, files.tags)
  }

  private def link(file: Path, at: Path): Unit = {
    Files.createDirectories(at.getParent)
    Files.createSymbolicLink(at, file.toAbsolutePath)
    ()
  }

  private val Name = "graph.pb"

  private lazy val root: Path = {
    val made = Files.createTempDirectory("sparkdl-graphs-")
    sys.addShutdownHook(LocalFiles.deleteTree(made))
    made
  }
}
