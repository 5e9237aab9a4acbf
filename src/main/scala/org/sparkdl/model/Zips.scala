package org.sparkdl.model

import java.io.InputStream
import java.nio.file.{Files, Path}
import java.util.zip.ZipFile

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.sparkdl.errors.InvalidModelException

/** Models in zips, which may come from anywhere. */
private[model] object Zips {

  /** How many times its size a large zip may have in it. */
  private val Times = 100L

  private val Piece = 1 << 16

  /** Unpacks a zip into a folder.
    *
    * @param freely
    *   bytes that any zip may have in it
    * @throws org.sparkdl.errors.InvalidModelException
    *   for entries that lead out of the folder, and for a zip that would fill the disk
    */
  def unpack(file: Path, directory: Path, freely: Long = 1L << 30): Unit = Using.resource(new ZipFile(file.toFile)) {
    zip =>
      var left = math.max(freely, Times * Files.size(file))
      zip.entries().asScala.filterNot(_.isDirectory).foreach { entry =>
        val place = directory.resolve(entry.getName).normalize
        if (!place.startsWith(directory)) fail(file, s"entry '${entry.getName}' leads out of it")
        Files.createDirectories(place.getParent)
        left -= Using.resource(zip.getInputStream(entry))(copy(file, _, place, left))
      }
  }

  /** Counts what comes out: what the zip says of its sizes need not be so. */
  private def copy(file: Path, source: InputStream, place: Path, most: Long): Long =
    Using.resource(Files.newOutputStream(place)) { target =>
      val piece = new Array[Byte](Piece)
      var total = 0L
      var count = source.read(piece)
      while (count >= 0) {
        total += count
        if (total > most)
          fail(
            file,
            s"its files take more than $Times times what the zip has, as no model's do; if you trust it, unpack it yourself " +
              "and pass the folder"
          )
        target.write(piece, 0, count)
        count = source.read(piece)
      }
      total
    }

  private def fail(file: Path, why: String): Nothing =
    throw new InvalidModelException(s"Refusing to unpack '$file': $why.")
}
