package org.sparkdl.engine

import java.io.IOException
import java.nio.file.{Files, Path}

import org.slf4j.LoggerFactory

import org.sparkdl.files.LocalFiles

/** The files that came to this executor, in a directory for each hash. */
final private[engine] class LocalCopies(root: Path) {
  private val log = LoggerFactory.getLogger("org.sparkdl.engine.LocalCopies")
  private val locks = new Locks

  /** The directory with undamaged files, which are written if they are not there. Two models may arrive at a time.
    *
    * @param explain
    *   why they cannot be written
    */
  def directory(hash: String, files: ShippedFiles, explain: (Path, IOException) => Throwable): Path =
    locks.withLock(hash) {
      val directory = root.resolve(hash)
      try {
        if (Files.exists(directory) && !files.areIn(directory)) {
          log.warn(s"The files in '$directory' were changed or damaged; they are written again.")
          LocalFiles.deleteTree(directory)
        }
        if (!Files.exists(directory)) LocalFiles.atomically(directory)(files.writeTo)
        directory
      } catch { case e: IOException => throw explain(root, e) }
    }

  /** Removes the files of a hash, which may still be mapped. */
  def remove(hash: String): Unit = locks.withLock(hash)(LocalFiles.deleteTree(root.resolve(hash)))
}
