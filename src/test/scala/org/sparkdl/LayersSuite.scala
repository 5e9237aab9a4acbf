package org.sparkdl

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite

/** Holds the layers of docs/architecture.md: what a package may import. */
class LayersSuite extends AnyFunSuite {
  private val sources = Paths.get("src/main/scala")

  /** For each package, the packages of sparkdl that it may import besides itself, `errors` and the settings. */
  private val mayImport = Map(
    "errors" -> Set.empty[String],
    "runtime" -> Set.empty[String],
    "tensor" -> Set("runtime"),
    "graph" -> Set("runtime", "tensor"),
    "image" -> Set("runtime", "model", "bridge"),
    "model" -> Set("runtime", "tensor"),
    "engine" -> Set("runtime", "model"),
    "plan" -> Set("runtime", "tensor", "image", "model", "engine"),
    "bridge" -> Set("tensor", "model", "engine", "plan"),
    "ml" -> Set("runtime", "tensor", "image", "model", "engine", "plan", "bridge", "api"),
    "sql" -> Set("model", "bridge", "api"),
    "tensorframes" -> Set("runtime", "tensor", "graph", "model", "engine", "plan", "bridge", "api"),
    "doctor" -> Set("runtime", "model", "bridge", "api"),
    "python" -> Set("image", "tensor", "api", "ml", "model", "plan", "tensorframes"),
    "api" -> Set("runtime", "tensor", "image", "model", "engine", "plan", "bridge", "doctor")
  )

  /** Files of the root package that anybody may import. */
  private val everywhere = Set("Settings", "Version")

  private val files: Seq[Path] =
    Using.resource(Files.walk(sources))(_.iterator().asScala.filter(_.toString.endsWith(".scala")).toVector)

  private def packageOf(file: Path): String = {
    val path = sources.relativize(file).toString.replace('\\', '/')
    if (path.startsWith("org/apache/spark/sql/sparkdl/")) "bridge"
    else
      path.stripPrefix("org/sparkdl/").split('/') match {
        case Array(_) => "api"
        case parts    => parts.head
      }
  }

  private def imports(file: Path): Seq[String] =
    Files.readAllLines(file).asScala.toSeq.map(_.trim).filter(_.startsWith("import ")).map(_.stripPrefix("import "))

  private def imported(line: String): Seq[String] =
    if (line.startsWith("org.apache.spark.sql.sparkdl.")) Seq("bridge")
    else if (!line.startsWith("org.sparkdl.")) Nil
    else {
      val rest = line.stripPrefix("org.sparkdl.")
      if (rest.head.isLower) Seq(rest.takeWhile(_.isLetterOrDigit))
      else rest.split("[{}, ]+").filter(_.nonEmpty).filterNot(everywhere).map(_ => "api").toSeq.distinct
    }

  test("every package imports only from layers below it") {
    val wrong = for {
      file <- files
      own = packageOf(file)
      allowed = mayImport.getOrElse(
        own,
        fail(s"package '$own' of $file is in no layer: add it here and in docs/architecture.md")
      )
      line <- imports(file)
      other <- imported(line)
      if other != own && other != "errors" && !allowed(other)
    } yield s"$file ($own): $line"
    assert(wrong.isEmpty, wrong.mkString("\n"))
  }

  test("only runtime and model import TensorFlow and JavaCPP; graph edits GraphDefs") {
    val wrong = files.filterNot(f => Set("runtime", "model")(packageOf(f))).flatMap { f =>
      imports(f)
        .filter(l => l.startsWith("org.tensorflow") || l.startsWith("org.bytedeco"))
        .filterNot(l => packageOf(f) == "graph" && l.startsWith("org.tensorflow.proto."))
        .map(l => s"$f: $l")
    }
    assert(wrong.isEmpty, wrong.mkString("\n"))
  }
}
