import sbt._
import sbt.Keys._

/** The blocks of Scala and Java in the pages, and the scripts among the examples, as sources of the tests: one that
  * does not compile fails `Test / compile` with its page and line. They are not run.
  *
  * Sources have empty lines for all that they leave out, so that lines have the page's numbers. A page has one source
  * in Scala, in which a block is nested in the one before it: it sees what that defines, and may define it again, as
  * in a shell. A block of Java is a program of its own, or else the body of a method. What pages take for granted is
  * in `PageValues` and `JavaPageValues`. Blocks of other languages are left out, settings of sbt (```sbt) among them.
  */
object DocBlocks {
  private val folder = "doc-blocks"
  private val javaImports = Seq(
    "java.util.Map",
    "org.apache.spark.ml.*",
    "org.apache.spark.sql.*",
    "org.sparkdl.Model",
    "org.sparkdl.ModelUDF",
    "org.sparkdl.ml.*",
    "org.sparkdl.tensorframes.*",
    "org.sparkdl.tensorframes.dsl.*",
    "static org.sparkdl.tensorframes.dsl.Operations.*"
  )
  private val javaClass = """^(?:public |abstract |final )*class (\w+)""".r

  /** A block: its page, the number of the line that opens it, and the lines in it. */
  private case class Block(page: String, opening: Int, lines: Seq[String]) {
    def closing: Int = opening + lines.size + 1
  }

  def settings: Seq[Setting[_]] = Seq(
    Test / sourceGenerators += sources.taskValue,
    // Nothing uses what a page only shows, but what is deprecated has no place there. The last rule that fits counts.
    Test / scalacOptions += s"-Wconf:src=$folder/.*:s,cat=deprecation&src=$folder/.*:e"
  )

  private def sources = Def.task {
    val (root, made) = ((ThisBuild / baseDirectory).value, (Test / sourceManaged).value / folder)
    def path(file: File) = file.relativeTo(root).get.getPath
    val pages = (root * "README.md" +++ root / "docs" * "*.md").get.map(page => path(page) -> IO.readLines(page))
    val scripts = (root / "examples" * "*.scala").get.map { script =>
      path(script).stripSuffix(".scala") -> inClass(path(script), IO.read(script))
    }
    val inScala = pages.flatMap { case (page, lines) =>
      val found = blocks("scala", page, lines)
      if (found.isEmpty) None else Some(page -> inClass(page, nested(found)))
    }
    val inJava = pages.flatMap { case (page, lines) => blocks("java", page, lines).map(javaSource) }
    (inScala ++ scripts).map { case (name, text) => Generated.write(made / s"$name.scala", text) } ++
      inJava.map { case (name, text) => Generated.write(made / s"$name.java", text) }
  }

  private def blocks(language: String, page: String, lines: Seq[String]): Seq[Block] = {
    val fences = lines.zipWithIndex.collect { case (line, index) if line.trim.startsWith("```") => index }
    fences
      .grouped(2)
      .collect {
        case Seq(open, close) if lines(open).trim == s"```$language" =>
          Block(page, open + 1, lines.slice(open + 1, close))
      }
      .toSeq
  }

  private def nested(blocks: Seq[Block]): String = {
    val (text, _) = blocks.foldLeft(("", 1)) { case ((before, line), block) =>
      (s"$before${"\n" * (block.opening - line)}locally {\n${block.lines.mkString("\n")}\n", block.closing)
    }
    text + "}" * blocks.size
  }

  private def inClass(path: String, code: String): String =
    s"package pages; abstract class ${identifier(path)} extends org.sparkdl.testing.PageValues { def blocks(): Unit = { " +
      s"$code}}\n"

  /** The name of the file below the folder, and its text. */
  private def javaSource(block: Block): (String, String) = {
    val name = s"${identifier(block.page)}_${block.opening}"
    val above = "\n" * (block.opening - 1) + s"package pages.$name;"
    val code = block.lines.mkString("\n", "\n", "\n")
    block.lines.flatMap(javaClass.findFirstMatchIn(_)).headOption match {
      case Some(program) => s"$name/${program.group(1)}" -> (above + code)
      case None =>
        val imports = javaImports.map(name => s" import $name;").mkString
        val header =
          " abstract class Block extends org.sparkdl.testing.JavaPageValues { void run() throws Exception {"
        s"$name/Block" -> s"$above$imports$header$code}}\n"
    }
  }

  private def identifier(path: String): String = path.replaceAll("\\W", "_")
}
