package org.sparkdl.runtime

import java.net.{JarURLConnection, URL}
import java.nio.file.{Files, Path, Paths}
import java.util.Properties

import scala.collection.mutable
import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import org.sparkdl.Version
import org.sparkdl.errors.NativeLibraryException

/** TensorFlow for Java may be in a JVM in one version only: classes and libraries of different versions have the same
  * names, and a class that calls another version's library ends the process.
  */
private[runtime] object TensorFlowCopies {
  private val api = "org/tensorflow/internal/c_api"

  /** One of each jar that TensorFlow for Java has had; equal files are the same version. */
  private def marks: Seq[String] =
    Seq(
      s"$api/global/tensorflow.class",
      s"$api/${NativePlatform.current.name}/${NativePlatform.current.libraryFile}",
      "org/tensorflow/TensorFlow.class"
    )

  /** Refuses two versions on the class path, and a library that something else has loaded.
    *
    * @param folder
    *   that our library is loaded from
    */
  def check(folder: Path): Unit = {
    val loaders = Seq(getClass.getClassLoader, Thread.currentThread().getContextClassLoader).filter(_ != null)
    (onClassPath(loaders.distinct) ++ loadedElsewhere(folder)).foreach { what =>
      throw new NativeLibraryException(s"Cannot use TensorFlow in this JVM: $what. $remedy")
    }
  }

  /** The places of copies that differ, if these loaders find more than one. */
  def onClassPath(loaders: Seq[ClassLoader]): Option[String] =
    marks.map(places(loaders, _)).find(_.map(size).distinct.size > 1).map { found =>
      s"its class path has copies of TensorFlow for Java that differ: ${found.map(describe).mkString(", ")}"
    }

  private def places(loaders: Seq[ClassLoader], name: String): Seq[URL] = {
    val seen = mutable.Set.empty[String]
    loaders.flatMap(_.getResources(name).asScala).filter(place => seen.add(place.toString))
  }

  /** Size and, in a jar, checksum: all that can be had without reading half a gigabyte. */
  private def size(file: URL): (Long, Long) = file.openConnection() match {
    case jar: JarURLConnection => (jar.getJarEntry.getSize, jar.getJarEntry.getCrc)
    case other                 => Using.resource(other.getInputStream)(in => crc(in.readAllBytes()))
  }

  private def crc(bytes: Array[Byte]): (Long, Long) = {
    val sum = new java.util.zip.CRC32
    sum.update(bytes)
    (bytes.length.toLong, sum.getValue)
  }

  private def describe(file: URL): String = {
    val (place, version) = file.openConnection() match {
      case jar: JarURLConnection => (jar.getJarFileURL.toString, versionIn(jar))
      case other                 => (other.getURL.toString, None)
    }
    place + version.fold("")(v => s" ($v)")
  }

  private def versionIn(jar: JarURLConnection): Option[String] = {
    val poms = Seq("core-api", "core-native").map(n => s"META-INF/maven/org.tensorflow/tensorflow-$n/pom.properties")
    poms.flatMap(pom => Option(jar.getJarFile.getJarEntry(pom))).headOption.flatMap { entry =>
      val properties = new Properties
      Using.resource(jar.getJarFile.getInputStream(entry))(properties.load)
      Option(properties.getProperty("version"))
    }
  }

  private val library = """.* (/.*/lib(?:jni)?tensorflow[^/]*\.so[^/]*)""".r

  /** A library of TensorFlow in this process that is not from our folder, as Linux lists them. */
  private def loadedElsewhere(folder: Path): Option[String] = {
    val ours = Try(folder.toRealPath()).getOrElse(folder.toAbsolutePath)
    val mapped = Try(Files.readString(Paths.get("/proc/self/maps")).linesIterator.toVector).getOrElse(Nil)
    mapped.collectFirst { case library(path) if !Paths.get(path).startsWith(ours) => path }.map { path =>
      s"something else has loaded '$path'"
    }
  }

  private def remedy: String =
    s"sparkdl needs version ${Version.tensorflowJava} alone. Take the other jars off the class path of driver and executors " +
      "(spark.jars, spark.jars.packages, spark.driver.extraClassPath, spark.executor.extraClassPath, Spark's jars folder), or " +
      "run what needs them, such as Spark NLP, in another application."
}
