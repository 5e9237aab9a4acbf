package org.sparkdl.engine

import java.io.IOException
import java.net.InetAddress
import java.nio.file.{Files, NoSuchFileException, Path, Paths}
import java.util.concurrent.ConcurrentHashMap

import scala.ref.WeakReference

import org.apache.spark.{SparkContext, SparkEnv}
import org.apache.spark.sql.sparkdl.blocks.DiskBlocks

import org.sparkdl.errors.SparkDLException
import org.sparkdl.files.HeldFolder
import org.sparkdl.model.{GraphFiles, MemoryNeed}

/** A model's files on their way to the executors.
  *
  * In local mode nothing travels. On a cluster each executor writes the files once to a directory named by the hash.
  *
  * @param name
  *   the model's, for messages
  * @param memory
  *   what it needs where it runs
  * @param held
  *   the folders of the driver's files: in local mode tasks read those, perhaps after their DataFrame is gone
  */
final class ShippedModel private (
    val name: String,
    val hash: String,
    val tags: Seq[String],
    val prepared: Boolean,
    private[engine] val memory: ModelMemory,
    driverPath: String,
    content: Option[ShippedFiles],
    private[engine] val held: Seq[HeldFolder]
) extends Serializable {

  /** The frozen graph's file or the SavedModel's directory on this machine. */
  def localPath(): Path = content.filter(_ => ShippedModel.onExecutor).fold(Paths.get(driverPath)) { files =>
    val directory = ShippedModel.copies.directory(hash, files, explain)
    if (tags.isEmpty) directory.resolve(GraphFiles.Graph) else directory
  }

  /** For errors of executors whose memory does not suffice: what the model needs, what there is, and the remedy. */
  def memoryRemedy: String = s"${memory.describe(name)}; ${memory.remedy}"

  /** What executors have; None in local mode. */
  def executor: Option[ExecutorMemory] = content.map(_ => memory.executor)

  /** Whether the files are copies that nobody else knows. */
  private[engine] def isCopy: Boolean = content.isDefined && ShippedModel.onExecutor

  /** Removes this executor's copy, which is written again when it is needed again: nothing shall be left of models
    * that no plan has any more.
    */
  private[engine] def removeCopy(): Unit = if (isCopy) ShippedModel.copies.remove(hash)

  private def explain(directory: Path, cause: IOException) = ShippedModel.cannotWrite(name, memory, directory, cause)
}

object ShippedModel {

  /** The files that were sent, per application and hash. Weak references: when no plan refers to the files any more,
    * Spark cleans up their blocks.
    */
  private val sent = new ConcurrentHashMap[(String, String), WeakReference[ShippedFiles]]()
  private val locks = new Locks

  /** The copies of this executor. */
  private lazy val copies = new LocalCopies(DiskBlocks.directory("sparkdl-models"))

  /** Prepares a model for the executors of `context`; runs on the driver.
    *
    * @param name
    *   the model's, for messages
    */
  def of(context: SparkContext, name: String, graph: GraphFiles): ShippedModel =
    try shipped(context, name, graph)
    catch { case e: NoSuchFileException => throw LoadErrors.gone(name, e) }

  private def shipped(context: SparkContext, name: String, graph: GraphFiles): ShippedModel = {
    val memory = ModelMemory(MemoryNeed.of(graph), ExecutorMemory.of(context.getConf))
    val content = if (context.isLocal) None else Some(filesOf(context, name, graph, memory))
    if (content.isDefined) MemoryWarning.once(context.applicationId, graph.hash, name, memory)
    val path = graph.path.toString
    new ShippedModel(name, graph.hash, graph.tags, graph.prepared, memory, path, content, graph.held)
  }

  private def filesOf(context: SparkContext, name: String, graph: GraphFiles, memory: ModelMemory): ShippedFiles = {
    val key = (context.applicationId, graph.hash)
    locks.withLock(graph.hash) {
      Option(sent.get(key)).flatMap(_.get).getOrElse {
        val files =
          try ShippedFiles.of(context, graph.all)
          catch {
            case e: NoSuchFileException if !Files.exists(graph.path) => throw e
            case e: IOException => throw cannotWrite(name, memory, DiskBlocks.root, e)
          }
        sent.values.removeIf(_.get.isEmpty) // those that nothing refers to any more
        sent.put(key, WeakReference(files))
        files
      }
    }
  }

  private def onExecutor: Boolean = SparkEnv.get.executorId != "driver"

  private[engine] def cannotWrite(name: String, memory: ModelMemory, directory: Path, cause: IOException) = {
    val free = MemoryNeed.size(directory.toFile.getUsableSpace)
    new SparkDLException(
      s"Cannot write model '$name' (${MemoryNeed.size(memory.need.weights)}) to '$directory' on " +
        s"${InetAddress.getLocalHost.getHostName}, executor ${SparkEnv.get.executorId}: ${cause.getMessage}. $free are free " +
        "there; the model takes its size twice while executors get it from each other. Free space, or set " +
        "spark.local.dir to a directory on a larger disk (on YARN and Kubernetes: what their nodes have as local directories).",
      cause
    )
  }
}
