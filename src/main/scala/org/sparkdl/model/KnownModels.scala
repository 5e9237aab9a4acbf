package org.sparkdl.model

import java.nio.file.{Files, Path, Paths}
import java.util.concurrent.ConcurrentHashMap

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path => HadoopPath}

import org.sparkdl.files.{FileVersion, HeldFolder, Place}
import org.sparkdl.runtime.NativeRuntime

/** Models that this process has read and checked already; checking means hashing up to 600 MB. They do not hold the
  * folders that they were read from: those whom they are given to do.
  */
private[sparkdl] object KnownModels {
  final private case class Known(folders: Seq[Path], model: ModelDefinition) {
    def isThere: Boolean = (model.graph.path +: folders).forall(Files.exists(_))
  }
  private val cache = new ConcurrentHashMap[(String, ReadOptions), Known]()

  /** The model at a path or URI, read again only when a file of it has changed. */
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
    val key = version(fs, path).map { case (version, isBundle) =>
      // A bundle says itself what its signature is, so it is not read again for other options than constants, and
      // those may not be fed as well.
      (version, if (isBundle && options.constants.isEmpty) ReadOptions() else options.comparable)
    }
    key.flatMap(k => Option(cache.get(k))).flatMap(held).getOrElse {
      val definition = ModelReader.readAt(path, address, hadoop, runtime, options)
      val folders = definition.graph.held.map(f => Paths.get(f.path))
      cache.values.removeIf(!_.isThere)
      key.foreach(cache.put(_, Known(folders, definition.holding(Nil))))
      definition
    }
  }

  /** A known model with its folders, unless one is gone. */
  private def held(known: Known): Option[ModelDefinition] = {
    val model = known.model.holding(known.folders.map(HeldFolder.of)) // before looking whether they are there
    if (known.isThere) Some(model) else None
  }

  /** What changes whenever the model does, and whether it is a bundle, whose manifest has the hashes of its files;
    * None where there is no model.
    */
  private def version(fs: FileSystem, path: HadoopPath): Option[(String, Boolean)] = {
    val manifest = new HadoopPath(path, Bundle.Manifest)
    if (fs.exists(manifest)) Some((FileVersion.of(fs, fs.getFileStatus(manifest)), true))
    else if (fs.exists(path)) Some((FileVersion.ofTree(fs, fs.getFileStatus(path)), false))
    else None
  }
}
