import java.nio.file.Files

import sbt._
import sbt.Keys._
import sbtassembly.AssemblyPlugin.autoImport._

import scala.xml.{Elem, Node}

/** The published jar holds sparkdl and TensorFlow Java's classes, with protobuf relocated.
  *
  * Ivy behind `spark-submit --packages` may drop a main jar whose classifier jar is also wanted, so what is published
  * depends only on the classifier jars with the native libraries.
  */
object Packaging {
  val devJars = taskKey[Seq[File]]("Puts the jar, the native jars and the POM into target/jars, for the checkout's Python")

  def settings(nativeModules: Seq[ModuleID]): Seq[Setting[_]] = assemblySettings ++ Seq(
    packagedArtifacts := packagedArtifacts.value.updated((Compile / packageBin / artifact).value, assembly.value),
    publishM2Configuration := publishM2Configuration.value.withOverwrite(true),
    pomPostProcess := onlyNativeDependencies(nativeModules),
    // Scaladoc warns about links into Spark and the JDK that it cannot resolve; a missing doc is not a build failure.
    Compile / doc / scalacOptions := (Compile / doc / scalacOptions).value.filterNot(_ == "-Werror"),
    Compile / doc / scalacOptions ++= Seq("-doc-title", "sparkdl", "-doc-version", version.value),
    Compile / doc / scalacOptions ++= Seq("-doc-root-content", s"${(Compile / sourceDirectory).value / "scaladoc" / "root.txt"}"),
    Compile / doc / scalacOptions ++= Seq("-skip-packages", internal((Compile / scalaSource).value).mkString(":")),
    devJars := putTogether.value
  )

  /** Packages of sparkdl that are public, as docs/releasing.md says. */
  private val public = Set("errors", "image", "ml", "sql", "tensorframes")

  private def internal(sources: File): Seq[String] = {
    val packages = IO.listFiles(sources / "org" / "sparkdl", DirectoryFilter).map(_.getName).filterNot(public).sorted
    "org.apache" +: packages.map("org.sparkdl." + _).toSeq
  }

  private def assemblySettings: Seq[Setting[_]] = Seq(
    assembly / test := {},
    // Not beside the unshaded jar of packageBin, which has the same name and would overwrite it.
    assembly / assemblyOutputPath := target.value / "assembly" / s"${name.value}_${scalaBinaryVersion.value}-${version.value}.jar",
    assembly / assemblyOption ~= (_.withIncludeScala(false)),
    // Spark brings another protobuf than TensorFlow Java was compiled with.
    assembly / assemblyShadeRules := Seq(
      ShadeRule.rename("com.google.protobuf.**" -> "org.sparkdl.shaded.protobuf.@1").inAll,
      ShadeRule.rename("com.twelvemonkeys.**" -> "org.sparkdl.shaded.twelvemonkeys.@1").inAll
    ),
    assembly / assemblyExcludedJars := (assembly / fullClasspath).value.filter(f => isNative(f.data)),
    assembly / assemblyMergeStrategy := {
      case path if path.endsWith("module-info.class") => MergeStrategy.discard
      case PathList("META-INF", name) if name.endsWith(".SF") || name.endsWith(".DSA") || name.endsWith(".RSA") =>
        MergeStrategy.discard
      case PathList("META-INF", "MANIFEST.MF") => MergeStrategy.discard
      // ImageIO of the whole program would take the readers of images from here.
      case PathList("META-INF", "services", name) if name.startsWith("javax.imageio.") => MergeStrategy.discard
      case PathList("META-INF", "services", _*) => MergeStrategy.concat
      case PathList("META-INF", "LICENSE" | "NOTICE" | "LICENSE.txt" | "NOTICE.txt") => MergeStrategy.concat
      case PathList("META-INF", _*) => MergeStrategy.first
      case path if path.endsWith(".proto") => MergeStrategy.discard // sources of protobuf's own types
      case _ => MergeStrategy.deduplicate
    }
  )

  private def isNative(jar: File): Boolean = jar.getName.matches(".*-(linux|macosx|windows)-[a-z0-9_]+\\.jar")

  private def putTogether = Def.task {
    val folder = target.value / "jars"
    val wanted = assembly.value +: (Runtime / fullClasspath).value.map(_.data).filter(isNative)
    IO.createDirectory(folder)
    IO.delete(IO.listFiles(folder).filterNot(f => wanted.exists(_.getName == f.getName)).toSeq)
    val placed = wanted.map(jar => place(jar, folder / jar.getName))
    IO.copyFile(makePom.value, folder / "sparkdl.pom")
    placed
  }

  /** A changed jar gets a new file, for a JVM that runs may hold the old one. */
  private def place(from: File, to: File): File = {
    if (to.exists && (to.lastModified != from.lastModified || to.length != from.length)) IO.delete(to)
    if (!to.exists) {
      if (isNative(from)) link(from, to) else IO.copyFile(from, to, preserveLastModified = true)
    }
    to
  }

  // 160 MB that never change: linked to sbt's cache where the file system can.
  private def link(from: File, to: File): Unit =
    try Files.createLink(to.toPath, from.toPath)
    catch {
      case _: java.io.IOException | _: UnsupportedOperationException =>
        IO.copyFile(from, to, preserveLastModified = true)
    }

  /** A POM that depends on these modules, whatever the project is compiled with. */
  def onlyNativeDependencies(modules: Seq[ModuleID]): Node => Node = {
    case project: Elem =>
      val others = project.child.filterNot(_.label == "dependencies")
      project.copy(child = others :+ <dependencies>{modules.map(dependency)}</dependencies>)
    case other => other
  }

  private def dependency(m: ModuleID): Elem =
    <dependency>
      <groupId>{m.organization}</groupId>
      <artifactId>{m.name}</artifactId>
      <version>{m.revision}</version>
      <classifier>{m.explicitArtifacts.flatMap(_.classifier).head}</classifier>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
}
