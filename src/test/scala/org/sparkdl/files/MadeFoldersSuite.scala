package org.sparkdl.files

import java.nio.file.{Files, Path, Paths}

import org.scalatest.funsuite.AnyFunSuite

class MadeFoldersSuite extends AnyFunSuite {
  private val folders = new MadeFolders("sparkdl-test-")

  private def made(name: String, folders: MadeFolders = folders): HeldFolder =
    folders.folder(name)(d => { Files.writeString(d.resolve("content"), name); () })

  private def isThere(name: String): Boolean = isThere(name, folders)
  private def isThere(name: String, folders: MadeFolders): Boolean = Files.exists(folders.root.resolve(name))

  /** Collects garbage, as a long program would. */
  private def collect(): Unit = { HeldFolder.heldOf(Nil, collect = true); () }

  /** Makes folders that nothing has afterwards; each is there until all are made. */
  private def makeAndForget(names: String*): Unit = makeAndForget(folders, names)
  private def makeAndForget(folders: MadeFolders, names: Seq[String]): Unit = {
    val all = names.map(made(_, folders))
    assert(all.zip(names).forall { case (folder, name) => folder.path.endsWith(name) })
  }

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

  test("up to a number of bytes stay that nothing has any more, the least recently used go first") {
    val kept = new MadeFolders("sparkdl-test-", mostUnused = 10) // of those whose names have five bytes, two
    def use(names: String*): Unit = makeAndForget(kept, names)
    val held = made("held!", kept)
    use("one..", "two..", "one..")
    collect()
    use("three")
    collect()
    use("four.")
    collect()
    use("five.")
    assert(
      Seq("held!", "one..", "two..", "three", "four.", "five.").filter(isThere(_, kept)) ==
        Seq("held!", "three", "four.", "five.")
    )
    assert(held.path.nonEmpty)
  }

  test("a folder stays as long as something has a file in it") {
    def fileOf(name: String) = made(name).using(d => HeldFolder.of(d.resolve("content")))
    val file = fileOf("whole")
    collect()
    makeAndForget("another")
    assert(isThere("whole") && file.using(Files.readString) == "whole")
  }
}
