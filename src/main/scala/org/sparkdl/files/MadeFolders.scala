package org.sparkdl.files

import java.nio.file.{Files, Path}

import scala.collection.mutable

/** Folders that this process makes from contents that it may have again, such as graphs and what is in a zip. One
  * that nothing holds any more goes when another is made, and all go when the process ends: a program that makes a
  * graph per round leaves nothing behind.
  */
final private[sparkdl] class MadeFolders(prefix: String) {
  private val made = mutable.Set.empty[Path]

  /** The folder of a content, which `fill` fills unless it is there. It stays as long as anything has its object. */
  def folder(name: String)(fill: Path => Unit): HeldFolder = {
    val (path, held) = holding(name)
    if (!Files.exists(path)) {
      LocalFiles.atomically(path)(fill)
      removeUnused()
    }
    held
  }

  private def holding(name: String): (Path, HeldFolder) = synchronized {
    val path = root.resolve(name)
    made += path
    (path, HeldFolder.of(path))
  }

  private def removeUnused(): Unit = synchronized {
    val unused = made.filterNot(HeldFolder.isHeld)
    unused.foreach(LocalFiles.deleteTree)
    made --= unused
  }

  /** Where they are. */
  lazy val root: Path = {
    val directory = Files.createTempDirectory(prefix)
    sys.addShutdownHook(LocalFiles.deleteTree(directory))
    directory
  }
}
