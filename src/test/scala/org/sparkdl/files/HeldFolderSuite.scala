package org.sparkdl.files

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, ObjectInputStream, ObjectOutputStream}
import java.nio.file.Paths

import org.scalatest.funsuite.AnyFunSuite

class HeldFolderSuite extends AnyFunSuite {
  private val path = "/nowhere/held"
  private def held(asked: String = path) = HeldFolder.heldOf(Seq(asked), collect = true).nonEmpty

  /** In a method of its own, whose variables are gone when it returns. */
  private def whileHeld(folder: HeldFolder): Unit = {
    assert(HeldFolder.of(Paths.get(folder.path)) eq folder)
    assert(held() && !held("/nowhere/hel"))
    assert(folder.path.startsWith(path)) // the last use
  }

  test("a folder is held as long as anything has its object, or that of a file in it") {
    whileHeld(HeldFolder.of(Paths.get(path)))
    whileHeld(HeldFolder.of(Paths.get(path, "graph.pb")))
    assert(!held())
  }

  test("a copy that was serialized holds it too") {
    val copied = {
      val bytes = new ByteArrayOutputStream()
      new ObjectOutputStream(bytes).writeObject(HeldFolder.of(Paths.get(path)))
      new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray)).readObject()
    }
    assert(held())
    assert(copied == HeldFolder.of(Paths.get(path)))
  }
}
