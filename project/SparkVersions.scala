import sbt._
import sbt.Keys._

/** A source folder per minor version of Spark, with what differs between them. */
object SparkVersions {

  def settings(line: SparkLine): Seq[Setting[_]] = Seq(
    Compile / unmanagedSourceDirectories ++= line.minors.map(folder((Compile / sourceDirectory).value, _)),
    Test / unmanagedSourceDirectories += folder((Test / sourceDirectory).value, line.compiledMinor)
  )

  private def folder(sources: File, spark: String): File = sources / s"scala-spark-$spark"
}
