package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}
import java.util.concurrent.ConcurrentHashMap

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, FileStatus, Path => HadoopPath}

import org.sparkdl.files.{HeldFolder, Place}
import org.sparkdl.runtime.NativeRuntime

/** Models that this process has read and checked already; checking means hashing up to 600 MB. They do not hold the
  * folders that they were read from: those whom they are given to do.
  */
private[sparkdl] object KnownModels {
  final private case class Known(folder: Option[Path], model: ModelDefinition)
  private val cache = new ConcurrentHashMap[(String, Long, Long, ReadOptions), Known]()

  /** The model at a path or URI, read again only when its file has changed. */
  def read(
      address: String,
      hadoop: Configuration,
      runtime: NativeRuntime,
      options: ReadOptions
  ): ModelDefinition = {
    val place = Place.of(address)
    place.attempt(read(place.source(hadoop), address, hadoop, runtime, options))
  }

  /** The same for a place that is known already; messages call it `address`. */
  def read(
      path: HadoopPath,
      address: String,
      hadoop: Configuration,
      runtime: NativeRuntime,
      options: ReadOptions
  ): ModelDefinition = {
    val fs = path.getFileSystem(hadoop)
    val key = status(fs, path).map { s =>
      // A bundle says itself what its signature is, so it is not read again for other options than constants, and
      // those may not be fed as well.
      val bundle = s.getPath.getName == Bundle.Manifest
      val relevant = if (bundle && options.constants.isEmpty) ReadOptions() else options.comparable
      (s.getPath.toString, s.getModificationTime, s.getLen, relevant)
    }
    key.flatMap(k => Option(cache.get(k))).flatMap(held).getOrElse {
      val definition = ModelReader.readAt(path, address, hadoop, runtime, options)
      val folder = definition.graph.held.map(f => Paths.get(f.path))
      key.foreach(cache.put(_, Known(folder, definition.holding(None))))
      definition
    }
  }

  /** A known model with its folder, unless that is gone. */
  private def held(known: Known): Option[ModelDefinition] = {
    val folder = known.folder.map(HeldFolder.of) // before looking whether it is there
    Some(known.model.holding(folder)).filter(d => Files.exists(d.graph.path) && known.folder.forall(Files.exists(_)))
  }

  /** The status of the file that changes whenever the model does; None where there is no model. */
  private def status(fs: FileSystem, path: HadoopPath): Option[FileStatus] =
    Seq(new HadoopPath(path, Bundle.Manifest), new HadoopPath(path, SavedModels.Graph), path)
      .find(fs.exists(_))
      .map(fs.getFileStatus(_))
}
