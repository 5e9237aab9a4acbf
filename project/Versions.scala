import java.util.Properties

import sbt._

/** Versions from the one file that has them, which Python and the scripts read, too. */
object Versions {
  private val file = sbt.file("python") / "sparkdl" / "resources" / "versions.properties"
  private val properties = { val read = new Properties; IO.load(read, file); read }

  def apply(key: String): String = Option(properties.getProperty(key)).getOrElse(sys.error(s"$file has no '$key'"))

  /** The values of a list, the oldest first. */
  def list(key: String): Seq[String] = apply(key).split(" ").toSeq

  /** As a resource of the jar. */
  def text: String = IO.read(file)
}
