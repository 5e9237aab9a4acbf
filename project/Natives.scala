import sbt._
import sbt.Keys._

/** TensorFlow's native libraries, which are jars with a classifier per platform.
  *
  * What names artefacts by coordinates alone, such as `spark-submit --packages`, knows no classifiers: the jar depends on
  * those of one platform, and for each other platform there is an artefact that is nothing but its dependencies.
  */
object Natives {

  val natives = taskKey[Unit]("Puts the artefact into target/natives/repository, for the wheel")

  /** The platform whose libraries the jar depends on. */
  val published: String = Versions.list("natives").head

  /** As JavaCPP calls the machine that builds, whose libraries the tests and target/jars need. */
  val ofThisMachine: String = {
    val system = if (sys.props("os.name").startsWith("Mac")) "macosx" else "linux"
    val machine = if (Set("aarch64", "arm64")(sys.props("os.arch"))) "arm64" else "x86_64"
    s"$system-$machine"
  }

  /** JavaCPP has no libraries of its own for GPUs. */
  def modules(platform: String): Seq[ModuleID] = Seq(
    "org.tensorflow" % "tensorflow-core-native" % Versions("tensorflow.java") classifier platform,
    "org.bytedeco" % "javacpp" % Versions("javacpp") classifier platform.stripSuffix("-gpu")
  )

  /** The artefact of a platform: a jar without classes, since not everybody takes a POM alone for a dependency. */
  def artefact(platform: String): Project = {
    require(Versions.list("natives").contains(platform), s"'$platform' is not among the natives of versions.properties")
    val name = s"sparkdl-native-$platform"
    Project(name, file("target") / "natives" / platform).settings(
      description := s"TensorFlow's native libraries for sparkdl on $platform",
      crossPaths := false,
      autoScalaLibrary := false,
      // Maven Central wants sources and documentation of every jar: here, what the project is.
      Compile / packageDoc / mappings := readme.value,
      Compile / packageSrc / mappings := readme.value,
      publishM2Configuration := publishM2Configuration.value.withOverwrite(true),
      pomPostProcess := Packaging.onlyNativeDependencies(modules(platform)),
      natives := lay.value
    )
  }

  private def readme = Def.task(Seq((ThisBuild / baseDirectory).value / "README.md" -> "README.md"))

  private def lay = Def.task {
    val folder = (LocalRootProject / target).value / "natives" / "repository" / "org" / "sparkdl" / name.value / version.value
    Seq("jar" -> (Compile / packageBin).value, "pom" -> makePom.value).foreach { case (kind, file) =>
      IO.copyFile(file, folder / s"${name.value}-${version.value}.$kind")
    }
  }
}
