package org.sparkdl.testing

import java.nio.file.{Files, Path, Paths}

import org.scalatest.Assertions.cancel

/** Real images and models that are not part of the project: `SPARKDL_SHARED_DATA`, else `../shared/data`. */
object SharedData {
  private val root: Path =
    Paths.get(Option(System.getenv("SPARKDL_SHARED_DATA")).getOrElse("../shared/data")).toAbsolutePath.normalize

  /** A directory below it; where it is missing the test is cancelled with the reason. */
  def directory(name: String): Path = {
    val path = root.resolve(name)
    if (!Files.isDirectory(path)) cancel(s"needs $path (set SPARKDL_SHARED_DATA to a directory that has '$name')")
    path
  }
}
