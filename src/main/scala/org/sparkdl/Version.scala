package org.sparkdl

import java.util.Properties

import scala.util.Using

/** The version of sparkdl, of what it was built with, and of what it is tested with.
  *
  * All but the first stand in `versions.properties`, one file that the build and the Python package read, too.
  */
object Version {
  private val properties: Properties = {
    val loaded = new Properties
    Using.resource(getClass.getResourceAsStream("/org/sparkdl/version.properties"))(loaded.load)
    loaded
  }

  /** Version of sparkdl, e.g. "0.1.0"; the Python package has the same. */
  val current: String = properties.getProperty("version")

  /** What this jar is called in repositories; those for Spark 3 have names of their own. */
  val artifact: String = properties.getProperty("artifact")

  /** The first number of the versions of Spark that this jar is for. */
  private val sparkMajor: String = properties.getProperty("sparkMajor")

  /** Minor versions of Spark that this jar is tested with, the oldest first. */
  val spark: Seq[String] = list("spark").filter(_.startsWith(s"$sparkMajor."))

  /** Versions of Java that this is tested with, the oldest first. */
  val java: Seq[Int] = list("java").map(_.toInt)

  /** The same, with those that this version of Spark runs on and older ones do not. */
  def javaWith(spark: String): Seq[Int] = {
    val newer = list("spark").dropWhile(_ != properties.getProperty("java.newer.spark"))
    if (newer.exists(minor => spark.startsWith(s"$minor."))) java ++ list("java.newer").map(_.toInt) else java
  }

  /** Minor version of TensorFlow in the JVM. */
  val tensorflow: String = properties.getProperty("tensorflow.jvm")

  /** Version of TensorFlow Java in this jar. */
  val tensorflowJava: String = properties.getProperty("tensorflow.java")

  /** Version of JavaCPP, which TensorFlow Java reaches its native library through. */
  val javacpp: String = properties.getProperty("javacpp")

  /** The oldest C library that TensorFlow's native library loads with. */
  val glibc: String = properties.getProperty("glibc")

  /** The platforms that TensorFlow's native libraries are published for, as JavaCPP calls them; those of the first
    * come with the jar.
    */
  val natives: Seq[String] = list("natives")

  /** Versions in a sentence: "17", "17 or 21", "17, 21 or 25". */
  def either(versions: Seq[Any]): String =
    versions.init.mkString(", ") + (if (versions.size > 1) " or " else "") + versions.last

  private def list(key: String): Seq[String] = properties.getProperty(key).split(" ").toSeq
}
