package org.sparkdl.files

import java.nio.file.{Files, Path, Paths}
import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, LocalFileSystem, Path => HadoopPath}

/** Files and folders of all of Hadoop's file systems: local copies to read, and what is put there as a whole. */
private[sparkdl] object RemoteFiles {

  /** The path on this machine of what is at `path`, which must exist: itself, or a copy.
    *
    * A copy is made once for the same sizes and times of its files, and kept for the life of the process.
    */
  def fetch(path: HadoopPath, hadoop: Configuration): Path = {
    val fs = path.getFileSystem(hadoop)
    val status = fs.getFileStatus(path)
    if (isLocal(fs)) Paths.get(fs.makeQualified(path).toUri.getPath) else copyOf(fs, status)
  }

  /** Names of what is in a folder; None where nothing is. */
  def names(path: HadoopPath, hadoop: Configuration): Option[Seq[String]] = {
    val fs = path.getFileSystem(hadoop)
    if (fs.exists(path)) Some(fs.listStatus(path).toSeq.map(_.getPath.getName).sorted) else None
  }

  /** Copies a local file or folder to `target`, where it is as a whole or not at all; what is there is replaced. */
  def store(local: Path, target: HadoopPath, hadoop: Configuration): Unit = {
    val fs = withoutSums(target.getFileSystem(hadoop))
    fs.mkdirs(target.getParent)
    val part = beside(target, "new")
    try {
      fs.copyFromLocalFile(false, true, new HadoopPath(local.toUri), part)
      if (fs.exists(target)) replace(fs, part, target) else rename(fs, part, target)
    } finally fs.delete(part, true)
  }

  /** Deletes a file if it is there. */
  def delete(path: HadoopPath, hadoop: Configuration): Unit = { path.getFileSystem(hadoop).delete(path, false); () }

  /** Renaming onto something that exists fails, or moves into it. */
  private def replace(fs: FileSystem, part: HadoopPath, target: HadoopPath): Unit = {
    val old = beside(target, "old")
    rename(fs, target, old)
    try rename(fs, part, target)
    catch { case e: Throwable => fs.rename(old, target); throw e }
    fs.delete(old, true)
    ()
  }

  private def beside(target: HadoopPath, what: String) =
    new HadoopPath(target.getParent, s".${target.getName}.${UUID.randomUUID()}.$what")

  private def rename(fs: FileSystem, from: HadoopPath, to: HadoopPath): Unit =
    if (!fs.rename(from, to)) throw new java.io.IOException(s"$from could not be renamed to $to")

  /** Hadoop would put a file of check sums beside each local file. */
  private def withoutSums(fs: FileSystem): FileSystem = fs match {
    case local: LocalFileSystem => local.getRawFileSystem
    case other                  => other
  }

  private def isLocal(fs: FileSystem): Boolean = fs.getScheme == "file"

  private def copyOf(fs: FileSystem, status: FileStatus): Path = synchronized {
    val directory = copies.resolve(Sha256.of(identity(fs, status).getBytes("UTF-8")).take(24))
    val remote = status.getPath
    if (!Files.exists(directory))
      LocalFiles.atomically(directory) { t =>
        fs.copyToLocalFile(false, remote, new HadoopPath(t.resolve(remote.getName).toUri), true)
      }
    directory.resolve(remote.getName)
  }

  /** A folder's own time says nothing of files that are overwritten in it. */
  private def identity(fs: FileSystem, status: FileStatus): String = {
    val files =
      if (status.isFile) Seq(status)
      else {
        val found = fs.listFiles(status.getPath, true)
        Iterator.continually(found).takeWhile(_.hasNext).map(_.next(): FileStatus).toSeq
      }
    val lines = files.map(f => s"${f.getPath}:${f.getModificationTime}:${f.getLen}").sorted
    (status.getPath.toString +: lines).mkString("\n")
  }

  private lazy val copies: Path = {
    val root = Files.createTempDirectory("sparkdl-copies-")
    sys.addShutdownHook(LocalFiles.deleteTree(root))
    root
  }
}
