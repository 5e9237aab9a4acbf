package org.sparkdl.image

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileStatus, Path, RemoteIterator}

/** Folders of folders, of which [[ImageSchema.readImages]] reads nothing unless it is told to. */
private[image] object Subfolders {

  /** What to say of the folders among these paths that have no file of their own, but folders. */
  def hint(paths: Seq[String], hadoop: Configuration): Option[String] = {
    val some = paths.filter(hasFoldersOnly(_, hadoop))
    if (some.isEmpty) None
    else
      Some(
        s"readImages reads nothing from ${some.mkString("'", "', '", "'")}, which has folders but no files of its own: " +
          "say recursive=true (in Python True) for the files in them."
      )
  }

  private def hasFoldersOnly(path: String, hadoop: Configuration): Boolean = {
    val folder = new Path(path)
    val fs = folder.getFileSystem(hadoop)
    fs.exists(folder) && fs.getFileStatus(folder).isDirectory && {
      val kinds = each(fs.listStatusIterator(folder)).filterNot(s => "._".contains(s.getPath.getName.head))
      kinds.hasNext && kinds.forall(_.isDirectory) // ends at the first file
    }
  }

  private def each(listed: RemoteIterator[FileStatus]): Iterator[FileStatus] =
    Iterator.continually(listed).takeWhile(_.hasNext).map(_.next())
}
