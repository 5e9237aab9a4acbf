import sbt._
import sbt.Keys._

/** A source folder per minor version of Spark, with what differs between them. */
object SparkVersions {

  def settings: Seq[Setting[_]] = Seq(
    Compile / unmanagedSourceDirectories ++= Versions.list("spark").map(folder((Compile / sourceDirectory).value, _)),
    Test / unmanagedSourceDirectories += folder((Test / sourceDirectory).value, Versions.list("spark").last)
  )

  private def folder(sources: File, spark: String): File = sources / s"scala-spark-$spark"
}
