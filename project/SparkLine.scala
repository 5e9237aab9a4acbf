import sbt._

/** Versions of Spark that one jar serves: those with the same first number. A jar is for one version of Scala.
  *
  * @param compiled
  *   the release that the jar is compiled against
  * @param hadoop
  *   the release that this Spark brings
  */
final case class SparkLine(major: String, compiled: String, scala: String, hadoop: String) {

  /** Minor versions, the oldest first. */
  val minors: Seq[String] = Versions.list("spark").filter(_.startsWith(s"$major."))

  /** The minor version that is compiled against. */
  val compiledMinor: String = compiled.split("\\.").take(2).mkString(".")

  /** The name that the jar is published by, without Scala's version. */
  val artifact: String = if (major == SparkLine.newestMajor) "sparkdl" else s"sparkdl-spark$major"
}

object SparkLine {
  private val newestMajor: String = Versions.list("spark").last.takeWhile(_ != '.')

  val newest: SparkLine = SparkLine(newestMajor, Versions("spark.compiled"), Versions("scala"), hadoop = "3.4.2")

  /** Spark 3 with one of its versions of Scala, such as "2.12". */
  def spark3(scala: String): SparkLine = {
    val release = Versions.list("spark3.scala").find(_.startsWith(s"$scala.")).get
    SparkLine("3", Versions("spark3.compiled"), release, hadoop = "3.3.4")
  }
}
