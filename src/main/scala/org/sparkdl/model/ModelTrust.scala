package org.sparkdl.model

import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap

import org.sparkdl.{Sessions, Settings}
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.files.{Place, Sha256}

/** Which models may reach out of their graphs: a graph is a program, which runs on every executor (docs/security.md).
  */
private[sparkdl] object ModelTrust {
  private val ofThisProcess = ConcurrentHashMap.newKeySet[String]()

  /** Trusts what is at a local path, which this user's own program has made of its own code. */
  def add(path: String): Unit = { ofThisProcess.add(normal(path)); () }

  /** Whether the model at a path or URI may reach out of its graph.
    *
    * @param hash
    *   of its graph; empty if it is not known
    */
  def of(address: String, hash: String): Boolean = {
    val place = normal(address)
    ofThisProcess.contains(place) || Sessions.settings.modelsTrusted.exists { entry =>
      entry == "all" || entry == hash || isAt(place, entry)
    }
  }

  private def isAt(place: String, entry: String) = {
    val trusted = normal(entry)
    place == trusted || place.startsWith(s"$trusted/")
  }

  private def normal(address: String): String =
    Place.of(address).asWritten.toUri.normalize.toString.stripSuffix("/")

  /** Refuses the file of a frozen graph that reaches out and is not trusted. */
  def checkFile(address: String, file: Path): Unit = {
    val graph = MappedProtos.graphDef(file, address)
    require(address, Sha256.of(file), ReachingOperations.of(graph))
  }

  /** Refuses a model that reaches out and is not trusted. */
  private[model] def checked(address: String, model: ModelDefinition): ModelDefinition = {
    val files = model.graph
    val found =
      if (!files.isSavedModel) ReachingOperations.of(GraphNodes.graphOf(files))
      else ReachingOperations.of(SavedModels.metaGraph(files.path, files.tags), model.outputs.map(_.tensor))
    require(address, files.hash, found)
    model
  }

  private def require(address: String, hash: => String, found: Seq[String]): Unit =
    if (found.nonEmpty && !of(address, hash))
      throw new InvalidModelException(
        s"The model at '$address' reaches out of its graph: ${listed(found)}. A graph is a program, and this one would use " +
          "files, the network, Python or the process of every executor. If you trust who made it, set " +
          s"${Settings.modelsTrusted.key} to its path, a folder above it, or its hash $hash (docs/security.md)."
      )

  private def listed(found: Seq[String]): String = {
    val more = if (found.size > Shown) s" and ${found.size - Shown} more" else ""
    found.take(Shown).mkString(", ") + more
  }

  private val Shown = 8
}
