package org.sparkdl

import java.nio.file.{Files, Paths}

import org.scalatest.funsuite.AnyFunSuite

class VersionSuite extends AnyFunSuite {
  test("the version is the one in the file VERSION") {
    assert(Version.current == Files.readString(Paths.get("VERSION")).trim)
  }
}
