package org.sparkdl.model

import java.nio.file.{Files, Path}

import scala.util.Using

import org.tensorflow.proto.GraphDef

import org.sparkdl.files.{LocalFiles, Sha256}

/** Graphs that are built in this process, as files for the engine: one per content, removed when the process ends. */
private[sparkdl] object StoredGraphs {

  /** Writes a serialized GraphDef, unless it is there already. */
  def store(graphDef: Array[Byte]): GraphFiles = stored(Sha256.of(graphDef))(Files.write(_, graphDef))

  /** The file of a serialized GraphDef, moved here unless there is one already. */
  private[model] def takeOver(file: Path, graphDef: Array[Byte]): GraphFiles =
    stored(Sha256.of(graphDef))(Files.move(file, _))

  /** Writes a GraphDef, whose constants may be in a mapped file: its bytes are never all on the heap. */
  private[model] def store(graph: GraphDef): GraphFiles = {
    val temporary = Files.createTempFile(root, ".graph-", ".pb")
    try {
      Using.resource(Files.newOutputStream(temporary))(graph.writeTo(_))
      stored(Sha256.of(temporary))(Files.move(temporary, _))
    } finally { Files.deleteIfExists(temporary); () }
  }

  /** The file of this hash, which `write` writes unless it is there already. */
  private def stored(hash: String)(write: Path => Path): GraphFiles = {
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d => write(d.resolve(Name)); () }
    GraphFiles(hash, directory.resolve(Name), Nil)
  }

  /** A SavedModel with another graph: links to the files of the one in `files`, which must stay, beside a file of its
    * own.
    */
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
    val directory = Files.createTempDirectory("sparkdl-graphs-")
    sys.addShutdownHook(LocalFiles.deleteTree(directory))
    directory
  }
}
