import sbt._
import sbt.Keys._
import com.github.sbt.sbom.BomSbtPlugin.autoImport._
import com.typesafe.tools.mima.plugin.MimaPlugin.autoImport._

/** The bill of materials of the jar, and the comparison of its classes with those of the last release. */
object Release {

  /** The version of the last release, which build/release takes from the tags; none before the first one. */
  private val last = sys.props.get("sparkdl.last.release").filter(_.nonEmpty)

  def settings: Seq[Setting[_]] = Seq(
    bomFileName := "bill-of-materials.json",
    Global / excludeLintKeys += bomFileName, // a command reads it
    mimaPreviousArtifacts := last.map(organization.value %% name.value % _).toSet,
    mimaFailOnNoPrevious := false
  )
}
