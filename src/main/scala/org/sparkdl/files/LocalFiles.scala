package org.sparkdl.files

import java.nio.file.{Files, Path, StandardCopyOption}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._
import scala.util.Using

/** Trees of local files. */
private[sparkdl] object LocalFiles {

  /** All regular files below `root`, in the order of their names. */
  def list(root: Path): Seq[Path] =
    Using.resource(Files.walk(root))(_.iterator().asScala.filter(Files.isRegularFile(_)).toVector.sorted)

  /** The size of all of them together. */
  def bytes(root: Path): Long = list(root).map(Files.size).sum

  /** Creates a directory, and those above it that are missing, for their owner alone. */
  def createOwnDirectories(directory: Path): Unit =
    if (!Files.isDirectory(directory)) {
      val owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))
      Files.createDirectories(directory, (if (hasPermissions(directory)) Seq(owner) else Nil): _*)
    }

  /** Whether files there have owners and rights as Unix knows them. */
  def hasPermissions(path: Path): Boolean = path.getFileSystem.supportedFileAttributeViews.contains("posix")

  /** Copies a tree of files. */
  def copyTree(from: Path, to: Path): Unit = list(from).foreach { f =>
    val target = to.resolve(from.relativize(f).toString)
    Files.createDirectories(target.getParent)
    Files.copy(f, target, StandardCopyOption.REPLACE_EXISTING)
  }

  /** Deletes a tree of files if it exists. */
  def deleteTree(root: Path): Unit = if (Files.exists(root)) {
    Using.resource(Files.walk(root))(_.iterator().asScala.toVector.sorted.reverse.foreach(Files.delete))
  }

  /** Calls `use` with a new directory, which is deleted afterwards. */
  def withTemporaryDirectory[T](prefix: String)(use: Path => T): T = {
    val directory = Files.createTempDirectory(prefix)
    try use(directory)
    finally deleteTree(directory)
  }

  /** Fills a temporary directory beside `target` and renames it to `target`; if another process was faster with the
    * same contents, its directory stays.
    */
  def atomically(target: Path)(fill: Path => Unit): Path = {
    Files.createDirectories(target.getParent)
    val temporary = Files.createTempDirectory(target.getParent, s".${target.getFileName}-")
    try {
      fill(temporary)
      try Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE)
      catch { case _: java.nio.file.FileSystemException if Files.exists(target) => target }
    } finally deleteTree(temporary)
  }
}
