import sbt._
import sbt.Keys._

/** Resources that come from elsewhere than src/main/resources. */
object Resources {

  def settings(line: SparkLine): Seq[Setting[_]] = Seq(
    Compile / resourceGenerators += versionFile(line).taskValue,
    Compile / resourceGenerators += tables.taskValue,
    Compile / resourceGenerators += licences.taskValue
  )

  /** org/sparkdl/version.properties, which org.sparkdl.Version reads. */
  private def versionFile(line: SparkLine) = Def.task {
    val file = (Compile / resourceManaged).value / "org" / "sparkdl" / "version.properties"
    val artifact = s"${line.artifact}_${scalaBinaryVersion.value}"
    val text = s"${Versions.text}\nversion=${version.value}\nsparkMajor=${line.major}\nartifact=$artifact\n"
    Seq(Generated.write(file, text))
  }

  /** Tables of the Python package (named models, kinds of files, classes): both languages read the same files. */
  private def tables = Def.task {
    val folder = (ThisBuild / baseDirectory).value / "python" / "sparkdl" / "resources"
    (folder * ("*.json" || "*.txt")).get.map { table =>
      Generated.write((Compile / resourceManaged).value / "org" / "sparkdl" / table.getName, IO.read(table))
    }
  }

  /** The jar holds other people's classes too, so their licence and notice go with it. */
  private def licences = Def.task {
    Seq("LICENSE", "NOTICE").map { name =>
      val text = IO.read((ThisBuild / baseDirectory).value / name)
      Generated.write((Compile / resourceManaged).value / "META-INF" / name, text)
    }
  }
}
