package org.sparkdl.files

import java.nio.file.{Path, Paths}
import java.util.UUID

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, FileSystem, LocalFileSystem, Path => HadoopPath}

/** Files and folders on any of Hadoop's file systems: copies of them to read on this machine, and writes that happen
  * completely or not at all.
  */
private[sparkdl] object RemoteFiles {

  /** The file or folder on this machine for what is at `path`, which must exist: `path` itself, or a copy.
    *
    * A copy is reused while the files have the same [[FileVersion]]. It stays as long as anything has the object that
    * is returned.
    */
  def fetch(path: HadoopPath, hadoop: Configuration): HeldFolder = {
    val fs = path.getFileSystem(hadoop)
    val status = fs.getFileStatus(path)
    if (isLocal(fs)) HeldFolder.of(Paths.get(fs.makeQualified(path).toUri.getPath)) else copy(fs, status)
  }

  /** The names in a folder; None where there is no folder. */
  def names(path: HadoopPath, hadoop: Configuration): Option[Seq[String]] = {
    val fs = path.getFileSystem(hadoop)
    if (fs.exists(path)) Some(fs.listStatus(path).toSeq.map(_.getPath.getName).sorted) else None
  }

  /** Copies a local file or folder to `target`, completely or not at all; anything that is there is replaced. */
  def store(local: Path, target: HadoopPath, hadoop: Configuration): Unit = {
    val fs = withoutChecksums(target.getFileSystem(hadoop))
    fs.mkdirs(target.getParent)
    val part = sibling(target, "new")
    try {
      fs.copyFromLocalFile(false, true, new HadoopPath(local.toUri), part)
      if (fs.exists(target)) replace(fs, part, target) else rename(fs, part, target)
    } finally fs.delete(part, true)
  }

  /** Deletes a file if it is there. */
  def delete(path: HadoopPath, hadoop: Configuration): Unit = { path.getFileSystem(hadoop).delete(path, false); () }

  /** Renaming onto something that exists fails, or moves into it. */
  private def replace(fs: FileSystem, part: HadoopPath, target: HadoopPath): Unit = {
    val old = sibling(target, "old")
    rename(fs, target, old)
    try rename(fs, part, target)
    catch { case e: Throwable => fs.rename(old, target); throw e }
    fs.delete(old, true)
    ()
  }

  private def sibling(target: HadoopPath, what: String) =
    new HadoopPath(target.getParent, s".${target.getName}.${UUID.randomUUID()}.$what")

  private def rename(fs: FileSystem, from: HadoopPath, to: HadoopPath): Unit =
    if (!fs.rename(from, to)) throw new java.io.IOException(s"$from could not be renamed to $to")

  /** The file system without checksums: Hadoop would put a file of them beside each local file. */
  private def withoutChecksums(fs: FileSystem): FileSystem = fs match {
    case local: LocalFileSystem => local.getRawFileSystem
    case other                  => other
  }

  private[files] def isLocal(fs: FileSystem): Boolean = fs.getScheme == "file"

  private def copy(fs: FileSystem, status: FileStatus): HeldFolder = synchronized {
    val version = Sha256.of(FileVersion.ofTree(fs, status).getBytes("UTF-8")).take(24)
    val remote = status.getPath
    val folder = copies.folder(version) { t =>
      fs.copyToLocalFile(false, remote, new HadoopPath(t.resolve(remote.getName).toUri), true)
    }
    folder.using(d => HeldFolder.of(d.resolve(remote.getName)))
  }

  /** Of copies that nothing has any more: some are needed again soon, such as the model of a stage that transforms
    * one DataFrame after the other.
    */
  private val MostUnusedBytes = 1L << 30

  private val copies = new MadeFolders("sparkdl-copies-", MostUnusedBytes)
}
