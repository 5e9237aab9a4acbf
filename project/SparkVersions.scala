import sbt._
import sbt.Keys._

/** A source folder per minor version of Spark, with what differs between them. */
object SparkVersions {

  def settings: Seq[Setting[_]] = Seq(
    Compile / unmanagedSourceDirectories ++= Versions.list("spark").map(folder((Compile / sourceDirectory).value, _)),
    Test / unmanagedSourceDirectories += folder((Test / sourceDirectory).value, compiled)
  )

  /** The minor version that is compiled against. */
  val compiled: String = Versions("spark.compiled").split("\\.").take(2).mkString(".")

  private def folder(sources: File, spark: String): File = sources / s"scala-spark-$spark"
}
