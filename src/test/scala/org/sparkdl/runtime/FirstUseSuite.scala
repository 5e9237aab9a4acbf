package org.sparkdl.runtime

import java.lang.management.ManagementFactory
import java.nio.file.{Files, Paths}
import java.nio.file.attribute.PosixFilePermissions

import scala.jdk.CollectionConverters._
import scala.sys.process._

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Version

/** What only the first use of TensorFlow in a JVM shows. */
class FirstUseSuite extends AnyFunSuite {
  private lazy val file = Files.createTempFile("sparkdl-no-directory-", "")

  private lazy val shared = {
    val folder = Files.createTempDirectory("sparkdl-shared-")
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"))
  }

  private def classPath = System.getProperty("java.class.path")

  private lazy val said: Map[String, String] = firstUse(classPath)

  private def firstUse(classPath: String): Map[String, String] = {
    val java = Paths.get(System.getProperty("java.home"), "bin", "java").toString
    val opened = ManagementFactory.getRuntimeMXBean.getInputArguments.asScala.filter(_.startsWith("--add-opens"))
    val command = Seq(java) ++ opened ++
      Seq("-cp", classPath, FirstUse.getClass.getName.stripSuffix("$"), s"$file/native", shared.toString)
    val lines = command.!!(ProcessLogger(_ => ())).linesIterator.map(_.split(": ", 2))
    lines.collect { case Array(use, result) => use -> result }.toMap
  }

  test("operations of the DSL load the library from where the settings say, before there is a session") {
    val result = said("dsl")
    assert(result.startsWith("org.sparkdl.errors.NativeLibraryException: Cannot load TensorFlow's native library"))
    assert(result.contains(s"It is unpacked into '$file/native'") && result.contains("spark.sparkdl.native.dir"))
  }

  test("a library in a folder that others may write is not loaded, and another folder may be tried") {
    val result = said("shared")
    assert(result.contains(s"not loaded from '$shared': others may write '$shared' (rwxrwxrwx)"))
    assert(result.contains(s"chmod 700 '$shared'") && result.contains("spark.sparkdl.native.dir"))
    assert(said("next") == "2.18.0")
  }

  test("a second TensorFlow on the class path is refused in both orders, with the places of both") {
    val other = Files.createTempDirectory("sparkdl-other-tensorflow-")
    val mark = other.resolve("org/tensorflow/internal/c_api/global/tensorflow.class")
    Files.createDirectories(mark.getParent)
    Files.write(mark, Array[Byte](1, 2, 3))
    Seq(s"$other:$classPath", s"$classPath:$other").foreach { path =>
      val result = firstUse(path)("next")
      assert(result.contains("NativeLibraryException: Cannot use TensorFlow in this JVM: its class path has copies"))
      assert(result.contains(mark.toString) && result.contains(s"tensorflow-core-native-${Version.tensorflowJava}"))
      assert(result.contains(s"(${Version.tensorflowJava})") && result.contains("such as Spark NLP"))
    }
  }

  test("a task that is interrupted while it waits for the library says so, and the next one loads it") {
    assert(said("killed").contains("This thread was interrupted while it waited for TensorFlow's native library"))
    assert(said("next") == "2.18.0")
  }
}
