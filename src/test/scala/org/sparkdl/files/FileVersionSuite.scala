package org.sparkdl.files

import java.nio.file.{Files, Path}
import java.nio.file.attribute.FileTime

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{EtagSource, FileChecksum, FileStatus, FilterFileSystem, MD5MD5CRC32GzipFileChecksum}
import org.apache.hadoop.fs.{FileSystem, LocalFileSystem, Path => HadoopPath}
import org.apache.hadoop.io.MD5Hash
import org.scalatest.funsuite.AnyFunSuite

class FileVersionSuite extends AnyFunSuite {
  private val local = FileSystem.getLocal(new Configuration())
  private val file: Path = Files.createTempDirectory("sparkdl-test-").resolve("model.pb")
  private val at = new HadoopPath(file.toUri)

  /** Writes a content as if at the same time as all others. */
  private def write(content: String): Unit = {
    Files.writeString(file, content)
    Files.setLastModifiedTime(file, FileTime.fromMillis(1000))
    ()
  }

  /** A file system that is not on a disk of this machine. */
  private class Remote(checksum: => FileChecksum) extends FilterFileSystem(new LocalFileSystem()) {
    override def getScheme: String = "remote"
    override def getFileChecksum(path: HadoopPath): FileChecksum = checksum
  }

  private class Tagged(status: FileStatus, tag: String) extends FileStatus(status) with EtagSource {
    override def getEtag: String = tag
  }

  test("another content of the same length and time on a disk is another version, the same file is the same") {
    write("one")
    val before = FileVersion.of(local, local.getFileStatus(at))
    assert(FileVersion.of(local, local.getFileStatus(at)) == before)
    val other = Files.writeString(file.resolveSibling("other"), "two")
    Files.setLastModifiedTime(other, FileTime.fromMillis(1000))
    Files.move(other, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING)
    assert(FileVersion.of(local, local.getFileStatus(at)) != before)
  }

  test("a folder has another version when a file in it is replaced") {
    write("one")
    val folder = new HadoopPath(file.getParent.toUri)
    val before = FileVersion.ofTree(local, local.getFileStatus(folder))
    assert(FileVersion.ofTree(local, local.getFileStatus(folder)) == before)
    Files.delete(file)
    write("two")
    assert(FileVersion.ofTree(local, local.getFileStatus(folder)) != before)
  }

  test("elsewhere an entity tag or a checksum tells contents of the same length and time apart") {
    write("one")
    val status = local.getFileStatus(at)
    val plain = new Remote(null)
    assert(FileVersion.of(plain, new Tagged(status, "a")) != FileVersion.of(plain, new Tagged(status, "b")))
    def sum(content: String) = new Remote(new MD5MD5CRC32GzipFileChecksum(1, 1L, MD5Hash.digest(content)))
    assert(FileVersion.of(sum("one"), status) != FileVersion.of(sum("two"), status))
    assert(FileVersion.of(sum("one"), status) == FileVersion.of(sum("one"), status))
    assert(FileVersion.of(sum("one"), new Tagged(status, "a")) == FileVersion.of(plain, new Tagged(status, "a")))
  }

  test("a file system that knows nothing more, or refuses to tell, is asked for length and time") {
    write("one")
    val status = local.getFileStatus(at)
    val version = FileVersion.of(new Remote(null), status)
    assert(version == FileVersion.of(new Remote(throw new java.io.IOException("no checksums")), status))
    assert(version.contains(":1000:3:"))
  }
}
