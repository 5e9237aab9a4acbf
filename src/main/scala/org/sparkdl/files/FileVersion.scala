package org.sparkdl.files

import java.io.IOException
import java.nio.file.{Files, Path, Paths}

import org.apache.hadoop.fs.{EtagSource, FileStatus, FileSystem}

/** What tells the contents that a file has one after the other apart, without reading them. */
private[sparkdl] object FileVersion {

  /** Place, length and time; and, as another content may have the same ones, what its file system knows besides: on
    * disks the number of the file and the time of its last change in nanoseconds, which nobody can set; an entity tag
    * of object stores; a checksum of HDFS. Other file systems know no more.
    */
  def of(fs: FileSystem, status: FileStatus): String = {
    val more =
      if (RemoteFiles.isLocal(fs)) changeOnDisk(Paths.get(status.getPath.toUri.getPath))
      else entityTag(status).orElse(checksum(fs, status))
    Seq(status.getPath, status.getModificationTime, status.getLen, more.getOrElse("")).mkString(":")
  }

  /** Of a file, or of all in a folder: the folder's own time stays the same where files in it are overwritten. */
  def ofTree(fs: FileSystem, status: FileStatus): String = {
    val files =
      if (status.isFile) Seq(status)
      else {
        val listing = fs.listFiles(status.getPath, true)
        Iterator.continually(listing).takeWhile(_.hasNext).map(_.next(): FileStatus).toVector
      }
    (status.getPath.toString +: files.map(of(fs, _)).sorted).mkString("\n")
  }

  private def changeOnDisk(file: Path): Option[String] =
    if (LocalFiles.hasPermissions(file)) {
      val known = Files.readAttributes(file, "unix:ino,ctime")
      Some(s"${known.get("ino")}:${known.get("ctime")}")
    } else None

  private def entityTag(status: FileStatus): Option[String] = status match {
    case tagged: EtagSource => Option(tagged.getEtag).filter(_.nonEmpty)
    case _                  => None
  }

  private def checksum(fs: FileSystem, status: FileStatus): Option[String] =
    try Option(fs.getFileChecksum(status.getPath)).map(c => Sha256.of(c.getBytes))
    catch { case _: IOException | _: UnsupportedOperationException => None } // a help, not a need
}
