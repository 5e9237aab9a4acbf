package org.sparkdl.model

import java.nio.file.{Files, Path}

/** GraphDefs that are made in this process, as files for the engine: one per content, removed when the process ends.
  */
private[sparkdl] object StoredGraphs {

  /** Writes a serialized GraphDef, unless it is there already. */
  def store(graphDef: Array[Byte]): GraphFiles = {
    val hash = Sha256.of(graphDef)
    val directory = root.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory) { d => Files.write(d.resolve(Name), graphDef); () }
    GraphFiles(hash, directory.resolve(Name), Nil)
  }

  private val Name = "graph.pb"

  private lazy val root: Path = {
    val made = Files.createTempDirectory("sparkdl-graphs-")
    sys.addShutdownHook(LocalFiles.deleteTree(made))
    made
  }
}
