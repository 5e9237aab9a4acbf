package org.sparkdl.files

import java.nio.file.{Files, Path, Paths}

import org.scalatest.funsuite.AnyFunSuite

class MadeFoldersSuite extends AnyFunSuite {
  private val folders = new MadeFolders("sparkdl-test-")

  private def made(name: String): HeldFolder =
    folders.folder(name)(d => { Files.writeString(d.resolve("content"), name); () })

  private def isThere(name: String): Boolean = Files.exists(folders.root.resolve(name))

  /** Collects garbage, as a long program would. */
  private def collect(): Unit = { HeldFolder.heldOf(Nil, collect = true); () }

  /** Makes folders that nothing has afterwards. */
  private def makeAndForget(names: String*): Unit = names.foreach(n => assert(made(n).path.endsWith(n)))

  test("folders that nothing has any more go when another is made, and those that something has stay") {
    val kept = made("kept")
    makeAndForget("first", "second")
    collect()
    assert(isThere("first") && isThere("second"), "nothing is removed between")
    val last = made("last")
    assert(Seq("kept", "first", "second", "last").filter(isThere) == Seq("kept", "last"))
    assert(Files.readString(Paths.get(kept.path).resolve("content")) == "kept")
    assert(last.path == folders.root.resolve("last").toString)
  }

  test("one that went is made again, and one that is there is not filled again") {
    makeAndForget("again")
    collect()
    val other = made("other")
    assert(!isThere("again"))
    val folder = made("again")
    assert(Files.readString(Paths.get(folder.path).resolve("content")) == "again")
    assert(folders.folder("again")((_: Path) => fail("it is there")) eq folder)
    assert(other.path.nonEmpty)
  }
}
