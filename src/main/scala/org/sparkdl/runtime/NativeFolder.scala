package org.sparkdl.runtime

import java.nio.file.{Files, Path}
import java.nio.file.attribute.{PosixFilePermission, PosixFilePermissions}

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.sparkdl.Settings
import org.sparkdl.errors.NativeLibraryException
import org.sparkdl.files.LocalFiles

/** The folder that the native library is unpacked into and loaded from: code that runs with all rights of this
  * process.
  */
private[runtime] object NativeFolder {

  /** Makes the folder for its owner alone; refuses one in which others could have put another library. */
  def prepare(folder: Path): Unit = {
    LocalFiles.createOwnDirectories(folder)
    if (LocalFiles.hasPermissions(folder) && mayDo(folder, enter ++ write))
      firstThatOthersWrite(folder).foreach(found => throw refusal(folder, found))
  }

  private def firstThatOthersWrite(folder: Path): Option[Path] =
    Using.resource(Files.walk(folder))(_.iterator().asScala.filter(Files.exists(_)).find(mayDo(_, write)))

  private val write = Set(PosixFilePermission.GROUP_WRITE, PosixFilePermission.OTHERS_WRITE)
  private val enter = Set(PosixFilePermission.GROUP_EXECUTE, PosixFilePermission.OTHERS_EXECUTE)

  /** Whether others than the owner have one of these rights. */
  private def mayDo(path: Path, rights: Set[PosixFilePermission]): Boolean =
    Files.getPosixFilePermissions(path).asScala.exists(rights)

  private def refusal(folder: Path, found: Path) = new NativeLibraryException(
    s"TensorFlow's native library is not loaded from '$folder': others may write '$found' " +
      s"(${PosixFilePermissions.toString(Files.getPosixFilePermissions(found))}), and so make this process run theirs. If you " +
      s"trust what is there, close it to others (chmod 700 '$folder'); else remove the folder, or set " +
      s"${Settings.nativeDir.key} to one that does not exist yet, which sparkdl makes for its owner alone."
  )
}
