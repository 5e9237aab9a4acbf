package org.sparkdl

import java.nio.file.{Files, Paths}

import org.scalatest.funsuite.AnyFunSuite

class VersionSuite extends AnyFunSuite {
  test("the version is the one in the file VERSION") {
    assert(Version.current == Files.readString(Paths.get("VERSION")).trim)
  }

  test("the jar knows what it is called, so that messages name the one that is there") {
    val line = if (Version.spark.head.startsWith("3.")) "sparkdl-spark3" else "sparkdl"
    val scalaVersion = scala.util.Properties.versionNumberString.split('.').take(2).mkString(".")
    assert(Version.artifact == s"${line}_$scalaVersion")
  }

  test("versions stand in a sentence as people write them") {
    assert(Version.either(Seq(17)) == "17")
    assert(Version.either(Seq(17, 21)) == "17 or 21")
    assert(Version.either(Seq("3.10", "3.11", "3.12")) == "3.10, 3.11 or 3.12")
  }
}
