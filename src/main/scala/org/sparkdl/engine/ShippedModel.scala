package org.sparkdl.engine

import java.nio.file.{Files, Path, Paths}
import java.util.concurrent.ConcurrentHashMap

import scala.ref.WeakReference
import scala.util.Using

import org.apache.spark.{SparkContext, SparkEnv}
import org.apache.spark.broadcast.Broadcast

import org.sparkdl.files.{HeldFolder, LocalFiles}
import org.sparkdl.model.GraphFiles

/** A graph's files on their way to the executors.
  *
  * In local mode nothing travels. On a cluster the files are broadcast in pieces of [[ShippedModel.PieceBytes]], peer
  * to peer, and each executor writes them once to a directory named by the hash, from where TensorFlow maps them.
  */
final class ShippedModel private (
    val hash: String,
    val tags: Seq[String],
    val prepared: Boolean,
    driverPath: String,
    content: Option[Seq[ShippedFile]],
    held: Option[HeldFolder] // in local mode tasks read the driver's file, perhaps after its DataFrame is gone
) extends Serializable {

  /** The frozen graph's file or the SavedModel's directory on this machine. */
  def localPath(): Path = content match {
    case Some(files) if SparkEnv.get.executorId != "driver" => unpack(files)
    case _                                                  => Paths.get(driverPath)
  }

  private def unpack(files: Seq[ShippedFile]): Path = ShippedModel.synchronized {
    val directory = ShippedModel.executorRoot.resolve(hash)
    if (!Files.exists(directory)) LocalFiles.atomically(directory)(d => files.foreach(_.writeTo(d)))
    if (tags.isEmpty) directory.resolve(ShippedModel.GraphName) else directory
  }
}

/** One file: its relative path and its bytes, in pieces far smaller than the largest Java array. Only bytes are
  * broadcast: with `spark.kryo.registrationRequired` Spark sends no classes that it does not know.
  */
final private[engine] case class ShippedFile(name: String, pieces: Seq[Broadcast[Array[Byte]]]) {
  def writeTo(directory: Path): Unit = {
    val target = directory.resolve(name)
    Files.createDirectories(target.getParent)
    Using.resource(Files.newOutputStream(target))(out => pieces.foreach(piece => out.write(piece.value)))
  }
}

object ShippedModel {
  private[engine] val GraphName = "graph.pb"
  private[engine] val PieceBytes: Int = 16 << 20

  /** The broadcast files, per application and hash. Weak references: when no plan refers to the files any more, Spark
    * cleans up their blocks.
    */
  private val broadcasts = new ConcurrentHashMap[(String, String), WeakReference[Seq[ShippedFile]]]()

  /** Prepares `graph` for the executors of `context`; runs on the driver. */
  def of(context: SparkContext, graph: GraphFiles): ShippedModel = {
    val content = if (context.isLocal) None else Some(broadcastOf(context, graph))
    new ShippedModel(graph.hash, graph.tags, graph.prepared, graph.path.toString, content, graph.held)
  }

  private def broadcastOf(context: SparkContext, graph: GraphFiles): Seq[ShippedFile] = synchronized {
    val key = (context.applicationId, graph.hash)
    Option(broadcasts.get(key)).flatMap(_.get).getOrElse {
      val files = readAll(context, graph)
      broadcasts.put(key, WeakReference(files))
      files
    }
  }

  private def readAll(context: SparkContext, graph: GraphFiles): Seq[ShippedFile] =
    if (!graph.isSavedModel) Seq(ShippedFile(GraphName, pieces(context, graph.path)))
    else LocalFiles.list(graph.path).map(f => ShippedFile(graph.path.relativize(f).toString, pieces(context, f)))

  private def pieces(context: SparkContext, file: Path): Seq[Broadcast[Array[Byte]]] =
    Using.resource(Files.newInputStream(file)) { in =>
      val read = Iterator.continually(in.readNBytes(PieceBytes)).takeWhile(_.nonEmpty)
      read.map(context.broadcast(_)).toVector
    }

  /** Removed when the executor ends. */
  private lazy val executorRoot: Path = {
    val root = Files.createTempDirectory("sparkdl-executor-")
    sys.addShutdownHook(LocalFiles.deleteTree(root))
    root
  }
}
