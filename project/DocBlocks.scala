import sbt._
import sbt.Keys._

/** The blocks of Scala in the pages, and the scripts among the examples, as sources of the tests: one that does not
  * compile fails `Test / compile` with its page and line. They are not run.
  *
  * The source of a page has an empty line for each that is not Scala, so that lines have the page's numbers. A block
  * is nested in the one before it: it sees what that defines, and may define it again, as in a shell. What pages take
  * for granted is in `PageValues`. Blocks of other languages are left out, settings of sbt (```sbt) among them.
  */
object DocBlocks {
  private val folder = "doc-blocks"
  private val opening = "locally {"

  def settings: Seq[Setting[_]] = Seq(
    Test / sourceGenerators += pageSources.taskValue,
    // Nothing uses what a page only shows, but what is deprecated has no place there. The last rule that fits counts.
    Test / scalacOptions += s"-Wconf:src=$folder/.*:s,cat=deprecation&src=$folder/.*:e"
  )

  private def pageSources = Def.task {
    val (root, made) = ((ThisBuild / baseDirectory).value, (Test / sourceManaged).value / folder)
    val pages = (root * "README.md" +++ root / "docs" * "*.md").get.map(page => page -> blocks(IO.readLines(page)))
    val scripts = (root / "examples" * "*.scala").get.map(script => script -> IO.readLines(script))
    (pages.filter(_._2.contains(opening)) ++ scripts).map { case (file, lines) =>
      val path = file.relativeTo(root).get.getPath
      Generated.write(made / s"${path.stripSuffix(".scala")}.scala", source(path, lines))
    }
  }

  private def blocks(page: Seq[String]): Seq[String] = page
    .foldLeft((Vector.empty[String], false)) { case ((lines, inBlock), line) =>
      if (line.trim.startsWith("```")) {
        val opens = line.trim == "```scala"
        (lines :+ (if (opens) opening else ""), opens)
      } else (lines :+ (if (inBlock) line else ""), inBlock)
    }
    ._1

  private def source(path: String, lines: Seq[String]): String = {
    val name = path.replaceAll("\\W", "_")
    val header = s"package pages; abstract class $name extends org.sparkdl.testing.PageValues { def blocks(): Unit = { "
    lines.mkString(header, "\n", "\n" + "}" * (lines.count(_ == opening) + 2) + "\n")
  }
}
