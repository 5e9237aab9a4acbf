package org.sparkdl.model

import java.nio.file.{Files, Paths}
import java.util.concurrent.ConcurrentHashMap

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, FileStatus, Path => HadoopPath}

/** Models that this process has read and checked already; checking means hashing up to 600 MB. */
private[sparkdl] object KnownModels {
  private val known = new ConcurrentHashMap[(String, Long, Long, ReadOptions), ModelDefinition]()

  /** The model at `path`, read again only when its file has changed. */
  def read(path: HadoopPath, hadoop: Configuration, options: ReadOptions = ReadOptions()): ModelDefinition = {
    val fs = path.getFileSystem(hadoop)
    val key = status(fs, path).map { s =>
      // A bundle says itself what its signature is, so it is not read again for other options than constants, and
      // those may not be fed as well.
      val bundle = s.getPath.getName == Bundle.Manifest
      val relevant = if (bundle && options.constants.isEmpty) ReadOptions() else options.comparable
      (s.getPath.toString, s.getModificationTime, s.getLen, relevant)
    }
    key.flatMap(k => Option(known.get(k))).filter(d => Files.exists(d.graph.path)).getOrElse {
      val definition = ModelReader.read(path.toString, hadoop, options)
      key.foreach(known.put(_, definition))
      definition
    }
  }

  /** Of the file that changes whenever the model does; None where there is no model. */
  private def status(fs: FileSystem, path: HadoopPath): Option[FileStatus] =
    Seq(new HadoopPath(path, Bundle.Manifest), new HadoopPath(path, SavedModels.Graph), path)
      .find(fs.exists(_))
      .map(fs.getFileStatus(_))

  /** A leading "~/" is the home directory, and a path without a scheme is one of this machine if it exists here, as
    * for Python; else it is one of Spark's default file system.
    */
  def expanded(path: String): HadoopPath = {
    val text = if (path.startsWith("~/")) System.getProperty("user.home") + path.drop(1) else path
    val plain = new HadoopPath(text)
    if (plain.toUri.getScheme == null && Files.exists(Paths.get(text)))
      new HadoopPath(Paths.get(text).toAbsolutePath.toUri)
    else plain
  }
}
