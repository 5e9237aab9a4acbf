import sbt._
import sbt.Keys._
import com.github.sbt.sbom.BomSbtPlugin.autoImport._
import com.typesafe.tools.mima.core.{Problem, ProblemFilters}
import com.typesafe.tools.mima.plugin.MimaPlugin.autoImport._

/** The bill of materials of the jar, and the comparison of its classes with those of the last release. */
object Release {

  /** The version of the last release, which build/release takes from the tags; none before the first one. */
  private val last = sys.props.get("sparkdl.last.release").filter(_.nonEmpty)

  /** Changes that are meant. */
  private def accepted: Seq[String] =
    IO.readLines(file("build/accepted_changes.txt")).filter(_.startsWith("scala ")).map(_.stripPrefix("scala ").trim)

  def settings: Seq[Setting[_]] = Seq(
    bomFileName := "bill-of-materials.json",
    Global / excludeLintKeys += bomFileName, // a command reads it
    mimaPreviousArtifacts := last.map(organization.value %% name.value % _).toSet,
    mimaBinaryIssueFilters ++= accepted.map(ProblemFilters.exclude[Problem](_)),
    mimaFailOnNoPrevious := false
  )
}
