package org.sparkdl.runtime

import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.Version

class NativePlatformSuite extends AnyFunSuite {
  private val version = Version.current

  test("a missing library is named with the artefact that brings it, on each platform") {
    val jar = s"org.sparkdl:${Version.artifact}:$version"
    assert(NativePlatform("linux-x86_64").remedy.startsWith(s"add $jar, which brings it"))
    Seq("linux-arm64", "macosx-arm64").foreach { platform =>
      val remedy = NativePlatform(platform).remedy
      assert(remedy.startsWith(s"add org.sparkdl:sparkdl-native-$platform:$version beside $jar"))
      assert(remedy.contains(s"tensorflow-core-native-${Version.tensorflowJava}-$platform.jar"))
    }
  }

  test("a platform that TensorFlow for Java has no library for is told those that it has") {
    assert(NativePlatform("macosx-x86_64").remedy.endsWith("can run on linux-x86_64, linux-arm64 or macosx-arm64"))
  }

  test("libraries have the endings of their system") {
    assert(NativePlatform("macosx-arm64").libraryFile == "libjnitensorflow.dylib")
    assert(NativePlatform("linux-arm64").libraryFile == "libjnitensorflow.so")
  }
}
