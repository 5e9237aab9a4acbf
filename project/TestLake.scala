import sbt._
import sbt.Keys._

/** Delta and Iceberg, for the tests in Python. They are not on the class path of the Scala tests, which go through
  * Spark's own nodes and commands by program.
  */
object TestLake {
  private val Lake = config("lake").hide

  /** Each with all that it needs besides Spark. */
  private val modules: Seq[ModuleID] = Seq(
    "io.delta" % s"delta-spark_${SparkLine.newest.compiledMinor}_2.13" % "4.1.0",
    "io.delta" % "delta-storage" % "4.1.0",
    "org.apache.iceberg" % "iceberg-spark-runtime-4.0_2.13" % "1.10.0"
  ).map(_.intransitive())

  val lakeJars = taskKey[Seq[File]]("Puts the jars of Delta and Iceberg into target/lake, for the tests in Python")

  def settings: Seq[Setting[_]] = Seq(
    ivyConfigurations += Lake,
    libraryDependencies ++= modules.map(_ % Lake),
    lakeJars := update.value.select(configurationFilter(Lake.name)).map { jar =>
      val copy = target.value / "lake" / jar.getName
      if (!copy.exists) IO.copyFile(jar, copy)
      copy
    }
  )
}
