package org.sparkdl.files

import java.io.FileNotFoundException
import java.net.URI

import scala.util.Using
import scala.util.control.NonFatal

import org.apache.hadoop.fs.Path
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.util.SerializableConfiguration

/** Reads whole files, in the executors, from any file system that Hadoop knows.
  *
  * @param hadoop
  *   the driver's configuration: it names file systems and holds their credentials
  */
final class FileSource(hadoop: Broadcast[SerializableConfiguration]) extends Serializable {

  /** The bytes of the file at `path`, a path or URI, or the reason why there are none, which names the path. */
  def read(path: String): Either[String, Array[Byte]] =
    try Right(contentOf(path))
    catch {
      case _: FileNotFoundException => Left(s"there is no file '$path'")
      case NonFatal(e) => Left(s"the file '$path' cannot be read: ${Option(e.getMessage).getOrElse(e.toString)}")
    }

  /** A URI may have characters escaped, such as %20; a path has them as they are. */
  private def contentOf(path: String): Array[Byte] =
    try bytes(new Path(path))
    catch { case _: FileNotFoundException if path.contains('%') => bytes(new Path(new URI(path))) }

  private def bytes(path: Path): Array[Byte] = {
    val fs = path.getFileSystem(hadoop.value.value)
    val status = fs.getFileStatus(path)
    if (status.isDirectory) throw new IllegalArgumentException("it is a directory")
    Using.resource(fs.open(path))(_.readNBytes(Math.toIntExact(status.getLen)))
  }
}
