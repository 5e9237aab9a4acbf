package org.sparkdl.runtime

import java.nio.file.{Files, Path}
import java.nio.file.attribute.PosixFilePermissions

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.errors.NativeLibraryException

class NativeFolderSuite extends AnyFunSuite {
  private lazy val root = Files.createTempDirectory("sparkdl-native-folder-")
  private def rights(path: Path) = PosixFilePermissions.toString(Files.getPosixFilePermissions(path))
  private def give(path: Path, rights: String) =
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(rights))

  test("a folder that is not there is made for its owner alone, with those above it") {
    NativeFolder.prepare(root.resolve("new/native"))
    assert(rights(root.resolve("new/native")) == "rwx------" && rights(root.resolve("new")) == "rwx------")
  }

  test("a folder that others may read is taken, one with a library that others may write is refused by its name") {
    val folder = give(Files.createDirectory(root.resolve("old")), "rwxr-xr-x")
    val library = give(Files.createFile(folder.resolve("libtensorflow.so")), "rw-r--r--")
    NativeFolder.prepare(folder)
    give(library, "rw-rw-r--")
    val e = intercept[NativeLibraryException](NativeFolder.prepare(folder))
    assert(e.getMessage.contains(s"others may write '$library' (rw-rw-r--)"))
    give(folder, "rwx------") // the remedy: nobody else gets to the library
    NativeFolder.prepare(folder)
  }
}
