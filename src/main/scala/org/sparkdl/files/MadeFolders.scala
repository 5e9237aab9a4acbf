package org.sparkdl.files

import java.nio.file.{Files, Path}

import scala.collection.mutable

/** Folders that this process makes from contents that it may have again, such as graphs and what is in a zip. Those
  * that nothing holds any more go when another is made, and all go when the process ends: a program that makes a
  * graph per round leaves nothing behind.
  *
  * @param mostUnused
  *   bytes of folders that nothing holds, which may stay to be used again; the least recently used go first
  */
final private[sparkdl] class MadeFolders(prefix: String, mostUnused: Long = 0) {
  private val made = mutable.LinkedHashMap.empty[Path, Long] // the most recently used last, with their bytes

  /** The folder of a content, which `fill` fills unless it is there. It stays as long as anything has its object, or
    * that of something in it.
    */
  def folder(name: String)(fill: Path => Unit): HeldFolder = {
    val (path, held) = holding(name)
    if (!Files.exists(path)) {
      LocalFiles.atomically(path)(fill)
      weigh(path)
      removeUnused()
    }
    held
  }

  private def holding(name: String): (Path, HeldFolder) = synchronized {
    val path = root.resolve(name)
    made.put(path, made.remove(path).getOrElse(0L))
    (path, HeldFolder.of(path))
  }

  private def weigh(path: Path): Unit = {
    val bytes = LocalFiles.bytes(path)
    synchronized { made.update(path, bytes) }
  }

  private def removeUnused(): Unit = synchronized {
    val unused = made.toSeq.filterNot { case (path, _) => HeldFolder.isHeld(path) }
    var left = unused.map(_._2).sum
    unused.foreach { case (path, bytes) =>
      if (left > mostUnused || mostUnused == 0) {
        LocalFiles.deleteTree(path)
        made -= path
        left -= bytes
      }
    }
  }

  /** Where they are. */
  lazy val root: Path = {
    val directory = Files.createTempDirectory(prefix)
    sys.addShutdownHook(LocalFiles.deleteTree(directory))
    directory
  }
}
