import Packaging.devJars

// The Python package reads the project's version from VERSION, and the others from the same file as `Versions`.
val sparkVersion = Versions("spark.compiled")
val tensorflowVersion = Versions("tensorflow.java")
val twelvemonkeysVersion = "3.12.0"

ThisBuild / scalaVersion := Versions("scala")
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

lazy val sparkdl = (project in file("."))
  .settings(
    name := "sparkdl",
    libraryDependencies ++= (nativeModules ++ Natives.modules(Natives.ofThisMachine)).distinct,
    libraryDependencies ++= Seq(
      "org.apache.spark" %% "spark-mllib" % sparkVersion % Provided,
      "org.tensorflow" % "tensorflow-core-api" % tensorflowVersion,
      "com.twelvemonkeys.imageio" % "imageio-webp" % twelvemonkeysVersion,
      "com.twelvemonkeys.imageio" % "imageio-tiff" % twelvemonkeysVersion,
      "org.scalatest" %% "scalatest" % "3.2.19" % Test,
      "org.apache.spark" %% "spark-catalyst" % sparkVersion % Test classifier "tests" // its catalog of tables in memory
    ) ++ TestHdfs.modules.map(_ % Test),
    scalacOptions ++= Seq("-deprecation", "-feature", "-unchecked", "-Xlint:-byname-implicit", "-Wunused", "-Werror", "-release", Versions.list("java").head),
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
  )
  .settings(SparkVersions.settings: _*)
  .settings(Resources.settings: _*)
  .settings(Packaging.settings(nativeModules): _*)
  .settings(LinkCheck.settings: _*)
  .settings(TestHdfs.settings: _*)
  .settings(TestLake.settings: _*)
  .settings(
    devJars := devJars.dependsOn(natives.map(_ / Natives.natives): _*).value,
    publishM2 := publishM2.dependsOn(natives.map(_ / publishM2): _*).value
  )

// Each is a project by its name.
lazy val linuxArm64 = Natives.artefact("linux-arm64")
lazy val macosxArm64 = Natives.artefact("macosx-arm64")
lazy val linuxGpu = Natives.artefact("linux-x86_64-gpu")
lazy val natives = Seq(linuxArm64, macosxArm64, linuxGpu)
