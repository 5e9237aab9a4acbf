package org.sparkdl

import java.nio.file.{Files, Paths}

import org.scalatest.funsuite.AnyFunSuite

class VersionSuite extends AnyFunSuite {
  test("the version is the one in the file VERSION") {
    assert(Version.current == Files.readString(Paths.get("VERSION")).trim)
  }

  test("versions stand in a sentence as people write them") {
    assert(Version.either(Seq(17)) == "17")
    assert(Version.either(Seq(17, 21)) == "17 or 21")
    assert(Version.either(Seq("3.10", "3.11", "3.12")) == "3.10, 3.11 or 3.12")
  }
}
