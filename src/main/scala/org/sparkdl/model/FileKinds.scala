package org.sparkdl.model

import java.io.IOException
import java.nio.charset.StandardCharsets.ISO_8859_1
import java.nio.file.{Files, Path}
import java.util.regex.Pattern
import java.util.zip.{ZipException, ZipFile}

import scala.jdk.CollectionConverters._
import scala.util.Using

import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}

import org.sparkdl.errors.InvalidModelException

/** A kind of file or folder.
  *
  * @param kind
  *   its name
  * @param of
  *   what the pattern is matched against: "start", the first bytes as Latin-1; "zip" or "folder", the names of its
  *   files, one per line; "broken zip", nothing
  * @param what
  *   a description that completes "it is ...", for messages
  * @param remedy
  *   what to do about it, if it is not a model
  */
private[model] final case class FileKind(kind: String, of: String, pattern: Pattern, what: String, remedy: String)

/** What a file is, which its bytes decide and not its name. One table for Scala and Python,
  * `python/sparkdl/resources/file_kinds.json`; of several kinds that fit, the first counts.
  */
private[model] object FileKinds {
  val Zip = "zip"
  val Graph = "frozen graph"
  val TextGraph = "frozen graph as text"
  val ZippedModels: Set[String] = Set("zip of a bundle", "zip of a SavedModel")
  val OfKeras: Set[String] = Set("HDF5", "zip of Keras")
  val Unknown = "unknown"

  private val Table = "/org/sparkdl/file_kinds.json"
  private val Start = 1024
  private val Expected = "Expected a file of Keras, a frozen graph, or the directory of a SavedModel."

  private lazy val all: Seq[FileKind] =
    Using
      .resource(getClass.getResourceAsStream(Table))(in => new ObjectMapper().readTree(in))
      .asScala
      .toVector
      .map(row)

  /** The kind of a file or folder on this machine. */
  def of(path: Path): FileKind =
    if (Files.isDirectory(path)) firstMatch("folder", names(path))
    else {
      val start = Using.resource(Files.newInputStream(path))(_.readNBytes(Start))
      val kind = firstMatch("start", new String(start, ISO_8859_1))
      if (kind.kind == Zip) inZip(path) else kind
    }

  /** The error for a file that is not a model, or not one that is accepted here. */
  def notAModel(path: String, kind: FileKind): InvalidModelException =
    new InvalidModelException(s"'$path' is ${kind.what}. ${kind.remedy}")

  private def inZip(path: Path): FileKind =
    try
      Using.resource(new ZipFile(path.toFile))(z =>
        firstMatch(Zip, z.entries().asScala.map(_.getName).mkString("\n"))
      )
    catch { case _: ZipException => firstMatch("broken zip", "") }

  private def firstMatch(of: String, text: String): FileKind =
    all.find(kind => kind.of == of && kind.pattern.matcher(text).find()).getOrElse(unknown(of, text))

  private def unknown(of: String, text: String): FileKind = {
    val excerpt = if (of == "start") text.take(16).map(c => f"${c.toInt}%02x").mkString(" ") else text.take(200)
    val contents = if (of == "start") "begins with the bytes" else "is a zip of"
    FileKind(Unknown, of, Pattern.compile(""), s"of no kind that sparkdl knows: it $contents $excerpt", Expected)
  }

  /** The files of a folder and of the folders in it. */
  private def names(folder: Path): String = {
    val entries = list(folder).flatMap { entry =>
      val below = if (Files.isDirectory(entry)) list(entry) else Nil
      (entry +: below).map(folder.relativize(_).toString)
    }
    entries.take(Start).mkString("\n")
  }

  private def list(folder: Path): Seq[Path] =
    try Using.resource(Files.list(folder))(_.iterator().asScala.toVector.sorted)
    catch { case _: IOException => Nil } // a folder inside that this user may not read

  private def row(json: JsonNode): FileKind = {
    val of = json.get("of").asText
    val flags = if (of == "start") 0 else Pattern.MULTILINE
    FileKind(
      kind = json.get("kind").asText,
      of = of,
      pattern = Pattern.compile(json.get("pattern").asText, flags),
      what = json.get("what").asText,
      remedy = Option(json.get("remedy")).map(_.asText).getOrElse(Expected)
    )
  }
}
