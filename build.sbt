import Packaging.devJars

// The Python package reads the project's version from VERSION, and the others from the same file as `Versions`.
val tensorflowVersion = Versions("tensorflow.java")
val twelvemonkeysVersion = "3.12.0"

ThisBuild / organization := "org.sparkdl"
ThisBuild / version := IO.read(file("VERSION")).trim
ThisBuild / organizationName := "The sparkdl authors"
ThisBuild / description := "TensorFlow and Keras models on Spark DataFrames, run inside the executors' JVMs"
ThisBuild / licenses := Seq("Apache-2.0" -> url("https://www.apache.org/licenses/LICENSE-2.0.txt"))
ThisBuild / homepage := Some(url("https://github.com/sparkdl/sparkdl"))
ThisBuild / scmInfo := Some(
  ScmInfo(url("https://github.com/sparkdl/sparkdl"), "scm:git:https://github.com/sparkdl/sparkdl.git"))
ThisBuild / developers := List(Developer("sparkdl", "The sparkdl authors", "", url("https://github.com/sparkdl")))
ThisBuild / versionScheme := Some("early-semver")

// JNI names in the native libraries fix the packages org.tensorflow and org.bytedeco; only their classifier jars
// stay outside, for Ivy takes them from the POM and they weigh 168 MB. Other platforms: Natives.
val nativeModules = Natives.modules(Natives.published)

lazy val sparkModuleOptions = Seq(
  "java.base/java.lang", "java.base/java.lang.invoke", "java.base/java.lang.reflect", "java.base/java.io",
  "java.base/java.net", "java.base/java.nio", "java.base/java.util", "java.base/java.util.concurrent",
  "java.base/java.util.concurrent.atomic", "java.base/jdk.internal.ref", "java.base/sun.nio.ch",
  "java.base/sun.nio.cs", "java.base/sun.security.action", "java.base/sun.util.calendar"
).map(p => s"--add-opens=$p=ALL-UNNAMED")

// The default. What it needs not is neither fetched nor compiled: the jars of Spark 3 are projects of their own, from
// the same sources: `build/sbt spark3_212/devJars`.
lazy val sparkdl = (project in file("."))
  .settings(forSpark(SparkLine.newest) ++ TestLake.settings ++ DocBlocks.settings ++ withNatives: _*)
lazy val spark3_212 = (project in file("target/spark3_2.12")).settings(besides(SparkLine.spark3("2.12")): _*)
lazy val spark3_213 = (project in file("target/spark3_2.13")).settings(besides(SparkLine.spark3("2.13")): _*)

// Each is a project by its name.
lazy val linuxArm64 = Natives.artefact("linux-arm64")
lazy val macosxArm64 = Natives.artefact("macosx-arm64")
lazy val linuxGpu = Natives.artefact("linux-x86_64-gpu")
lazy val natives = Seq(linuxArm64, macosxArm64, linuxGpu)

lazy val withNatives: Seq[Setting[_]] = Seq(
  devJars := devJars.dependsOn(natives.map(_ / Natives.natives): _*).value,
  publishM2 := publishM2.dependsOn(natives.map(_ / publishM2): _*).value
)

/** From the root's sources, with all that is made in the project's own folder. */
def besides(line: SparkLine): Seq[Setting[_]] = forSpark(line) ++ Seq(
  sourceDirectory := (ThisBuild / baseDirectory).value / "src",
  sourcesInBase := false,
  target := baseDirectory.value,
  Test / baseDirectory := (ThisBuild / baseDirectory).value // where tests run
)

def forSpark(line: SparkLine): Seq[Setting[_]] =
  Seq(
    name := line.artifact,
    scalaVersion := line.scala,
    libraryDependencies ++= (nativeModules ++ Natives.modules(Natives.ofThisMachine)).distinct,
    libraryDependencies ++= Seq(
      "org.apache.spark" %% "spark-mllib" % line.compiled % Provided,
      "org.tensorflow" % "tensorflow-core-api" % tensorflowVersion,
      "com.twelvemonkeys.imageio" % "imageio-tiff" % twelvemonkeysVersion,
      "org.scalatest" %% "scalatest" % "3.2.19" % Test,
      "org.apache.spark" %% "spark-catalyst" % line.compiled % Test classifier "tests" // its catalog of tables in memory
    ) ++ TestHdfs.modules(line.hadoop).map(_ % Test),
    // What Scala 2.13 added to the library, where sources use it: Spark 3 brings it in this version.
    libraryDependencies ++= Seq("org.scala-lang.modules" %% "scala-collection-compat" % "2.7.0" % Provided)
      .filter(_ => scalaBinaryVersion.value == "2.12"),
    scalacOptions ++= Seq("-deprecation", "-feature", "-unchecked", "-release", Versions.list("java").head),
    scalacOptions ++= (if (line == SparkLine.newest) Seq("-Xlint:-byname-implicit", "-Wunused", "-Werror") else Nil),
    Test / fork := true,
    // Most code runs a few times only: optimizing it takes half of the time otherwise.
    Test / javaOptions ++= Seq("-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=256m", "-XX:+UseSerialGC"),
    Test / javaOptions ++= sparkModuleOptions ++ Seq("-Xmx3g", "-XX:+IgnoreUnrecognizedVMOptions", "-Djdk.reflect.useDirectMethodHandle=false"),
    Test / javaOptions += { // what tests write there goes when they run again
      val folder = target.value / "test-tmp"
      IO.delete(folder)
      IO.createDirectory(folder)
      s"-Djava.io.tmpdir=$folder"
    },
    Test / parallelExecution := false
  ) ++
    SparkVersions.settings(line) ++
    Resources.settings(line) ++
    Packaging.settings(nativeModules) ++
    LinkCheck.settings(line) ++
    TestHdfs.settings(line.hadoop)
