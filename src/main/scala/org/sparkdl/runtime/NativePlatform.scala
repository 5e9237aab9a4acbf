package org.sparkdl.runtime

import org.bytedeco.javacpp.Loader

import org.sparkdl.Version

/** A platform, and what brings TensorFlow's native library for it.
  *
  * @param name
  *   as JavaCPP calls it, e.g. "linux-arm64"
  */
final private[sparkdl] case class NativePlatform(name: String) {

  /** The file that JavaCPP looks for in the jar of the platform. */
  def libraryFile: String = s"libjnitensorflow.${if (name.startsWith("macosx")) "dylib" else "so"}"

  /** What a class path without the library lacks. */
  def remedy: String =
    if (name == Version.natives.head) s"add ${NativePlatform.Jar}, which brings it, $settings$withoutNetwork"
    else if (Version.natives.contains(name))
      s"add ${NativePlatform.artefact(name)} beside ${NativePlatform.Jar} $settings; sparkdl.start() does so where the " +
        s"driver is such a machine, and a cluster with machines of several kinds needs the artefact of each$withoutNetwork"
    else
      s"TensorFlow for Java has none for this platform. Drivers and executors can run on " +
        s"${Version.either(Version.natives.filterNot(_.endsWith(NativePlatform.Gpu)))}"

  private def settings = "(spark.jars.packages, or spark-submit --packages, separated by commas)"

  private def withoutNetwork =
    s". Without a network, add tensorflow-core-native-${Version.tensorflowJava}-$name.jar and javacpp-" +
      s"${Version.javacpp}-$name.jar (spark.jars)"
}

private[sparkdl] object NativePlatform {

  /** At the end of the names of libraries with kernels for GPUs. */
  val Gpu = "-gpu"

  /** That of this JVM. */
  def current: NativePlatform = NativePlatform(Loader.getPlatform)

  /** The artefact with the library of a platform other than the first. */
  def artefact(name: String): String = s"org.sparkdl:sparkdl-native-$name:${Version.current}"

  private def Jar = s"org.sparkdl:${Version.artifact}:${Version.current}"
}
