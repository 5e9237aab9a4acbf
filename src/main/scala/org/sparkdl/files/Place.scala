package org.sparkdl.files

import java.io.{FileNotFoundException, IOException}
import java.nio.file.{Files, Path, Paths}

import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{FileSystem, Path => HadoopPath}

import org.sparkdl.errors.{SettingsException, SparkDLException}

/** The place that a user names by a path or a URI, by the rules of docs/paths.md, which `sparkdl._places.places` in
  * Python follows too.
  *
  * @param address
  *   what the user wrote, for messages
  * @param asWritten
  *   with escapes such as %20 kept as three characters, as Hadoop reads them
  * @param decoded
  *   with the characters that the escapes stand for; the same as `asWritten` for a path without a scheme
  * @param plain
  *   whether it is a path without a scheme
  */
final private[sparkdl] case class Place private (
    address: String,
    asWritten: HadoopPath,
    decoded: HadoopPath,
    plain: Boolean
) {

  /** Where to read it, whether or not anything is there. */
  def source(hadoop: Configuration): HadoopPath = attempt {
    val local = target(hadoop)
    if (!plain || local.getFileSystem(hadoop).exists(local)) local
    else new HadoopPath(null, null, Place.expandHome(address))
  }

  /** Where to write it: a path without a scheme is on this machine, and a URI is decoded unless something exists
    * under its name as written.
    */
  def target(hadoop: Configuration): HadoopPath = attempt {
    if (decoded == asWritten) decoded
    else {
      val fs = asWritten.getFileSystem(hadoop)
      if (fs.exists(asWritten) || depth(fs, asWritten) > depth(fs, decoded)) asWritten else decoded
    }
  }

  /** What Spark's file sources take, which expand globs: a URI as it is written, or decoded where that matches
    * nothing.
    */
  def pattern(hadoop: Configuration): String = attempt {
    if (plain) Place.expandHome(address)
    else if (decoded == asWritten) decoded.toString
    else {
      val matched = asWritten.getFileSystem(hadoop).globStatus(asWritten)
      (if (matched == null || matched.isEmpty) decoded else asWritten).toString
    }
  }

  /** How many folders on the way to a path exist. */
  private def depth(fs: FileSystem, path: HadoopPath): Int =
    Iterator.iterate(path)(_.getParent).takeWhile(_ != null).find(fs.exists(_)).fold(-1)(_.depth)

  /** Runs an action on this place. Its failures say what could not be reached, but a missing file stays a
    * `FileNotFoundException`.
    */
  def attempt[T](action: => T): T =
    try action
    catch {
      case e: FileNotFoundException => throw e
      case e: SparkDLException      => throw e
      case e @ (_: IOException | _: IllegalArgumentException) =>
        val host =
          if (asWritten.toUri.getScheme != "file" && asWritten.toUri.getAuthority == null) Place.NoHost else ""
        throw new SettingsException(
          s"Cannot reach '$address': ${Option(e.getMessage).getOrElse(e.toString)}.$host",
          e
        )
    }
}

private[sparkdl] object Place {
  private val Uri = "(?s)([A-Za-z][A-Za-z0-9+.-]*):(.*)".r
  private val Host = "(?s)//([^/]*)(/.*)?".r
  private val Escaped = "(?:%[0-9A-Fa-f]{2})+".r
  private val NoHost =
    " Between its scheme and its path there is no host or bucket; if it went through pathlib.Path, that removed a " +
      "slash: pass it as a string."

  /** The place that a user names. */
  def of(address: String): Place = address match {
    case ""                                                => refuse(address, "it is empty")
    case Uri(scheme, rest) if scheme.toLowerCase == "file" => ofFile(address, rest)
    case Uri(_, rest) if rest.startsWith("/")              => remote(address)
    case _ =>
      val local = onThisMachine(Paths.get(expandHome(address)))
      Place(address, local, local, plain = true)
  }

  /** The path on this machine of something that cannot be elsewhere.
    *
    * @param what
    *   what the user named, for messages
    */
  def local(address: String, what: String): Path = {
    val place = of(address)
    if (place.asWritten.toUri.getScheme != "file")
      throw new SettingsException(
        s"$what can only be a directory of the machine's own file system, got '$address': give a path, or a URI that " +
          "begins with file:."
      )
    Seq(place.asWritten, place.decoded)
      .map(p => Paths.get(p.toUri.getPath))
      .find(Files.exists(_))
      .getOrElse(
        Paths.get(place.decoded.toUri.getPath)
      )
  }

  private def ofFile(address: String, rest: String): Place = rest match {
    case Host(host, _) if host.nonEmpty && host != "localhost" =>
      refuse(address, s"it names the host '$host', and file: is for this machine: expected file:///folder/file")
    case Host(_, path) if path != null                          => fileUri(address, path)
    case path if path.startsWith("/") && !path.startsWith("//") => fileUri(address, path)
    case _ => refuse(address, "after file: there must be an absolute path: file:///folder/file")
  }

  private def fileUri(address: String, path: String) =
    Place(address, onThisMachine(Paths.get(path)), onThisMachine(Paths.get(unescape(path))), plain = false)

  private def remote(address: String): Place = {
    val uri =
      try new HadoopPath(address)
      catch { case e: IllegalArgumentException => refuse(address, e.getMessage) }
    val parts = uri.toUri
    val decoded = new HadoopPath(parts.getScheme, parts.getAuthority, unescape(parts.getPath))
    Place(address, uri, decoded, plain = false)
  }

  private def onThisMachine(path: Path) = new HadoopPath("file", null, path.toAbsolutePath.toString)

  private def expandHome(path: String): String = {
    val first = path.takeWhile(_ != '/')
    if (first == "~") System.getProperty("user.home") + path.drop(1)
    else if (first.startsWith("~") && first != path && !Files.exists(Paths.get(first)))
      refuse(path, s"the home directory of '${first.drop(1)}' is not looked up: give its path")
    else path
  }

  private def unescape(path: String): String = Escaped.replaceAllIn(
    path,
    { escape =>
      val bytes = escape.matched.split('%').tail.map(Integer.parseInt(_, 16).toByte)
      scala.util.matching.Regex.quoteReplacement(TextFile.decode(bytes).getOrElse(escape.matched))
    }
  )

  private def refuse(address: String, why: String): Nothing =
    throw new SettingsException(s"Cannot use '$address' as a path: $why.")
}
