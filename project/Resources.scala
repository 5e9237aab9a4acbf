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
    writeIfChanged(file, s"${Versions.text}\nversion=${version.value}\nsparkMajor=${line.major}\nartifact=$artifact\n")
    Seq(file)
  }

  /** Tables of the Python package (named models, kinds of files, classes): both languages read the same files. */
  private def tables = Def.task {
    val folder = (ThisBuild / baseDirectory).value / "python" / "sparkdl" / "resources"
    (folder * ("*.json" || "*.txt")).get.map { table =>
      val file = (Compile / resourceManaged).value / "org" / "sparkdl" / table.getName
      writeIfChanged(file, IO.read(table))
      file
    }
  }

  /** The jar holds other people's classes too, so their licence and notice go with it. */
  private def licences = Def.task {
    Seq("LICENSE", "NOTICE").map { name =>
      val file = (Compile / resourceManaged).value / "META-INF" / name
      writeIfChanged(file, IO.read((ThisBuild / baseDirectory).value / name))
      file
    }
  }

  // A newer file of the same text would make sbt pack the jar again.
  private def writeIfChanged(file: File, text: String): Unit =
    if (!file.exists || IO.read(file) != text) IO.write(file, text)
}
