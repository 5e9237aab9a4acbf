package org.sparkdl

import java.nio.file.{Files, Path, Paths}

import scala.jdk.CollectionConverters._
import scala.util.Using

import org.scalatest.funsuite.AnyFunSuite

/** Checks the layers of docs/architecture.md. */
class LayersSuite extends AnyFunSuite {
  private val sources = Paths.get("src/main/scala")
  private val roots = sources +: Version.spark.map(minor => Paths.get(s"src/main/scala-spark-$minor"))
  private val bridge = "org.apache.spark.sql.sparkdl"

  /** The packages and, with a capital letter, the files of the root package, from the bottom up: each knows only
    * those before it.
    */
  private val layers = Seq(
    "errors",
    "Version",
    "bridge.versions",
    "bridge.frames",
    "bridge.blocks",
    "files",
    "Settings",
    "Sessions",
    "runtime",
    "tensor",
    "graph",
    "model",
    "image.failures",
    "image.vp8",
    "image.vp8l",
    "image",
    "engine",
    "application",
    "rows",
    "merging",
    "bridge.columns",
    "bridge.functions",
    "bridge.nodes",
    "bridge.groups",
    "bridge.lifting",
    "bridge.moving",
    "bridge.execution",
    "bridge.installing",
    "Model",
    "ModelUDF",
    "SparkDLExtensions",
    "ml",
    "tensorframes.dsl",
    "tensorframes",
    "sql",
    "doctor",
    "Doctor",
    "python"
  )

  /** All but the names of Spark 4 that Spark 3.5 is given. */
  private val files: Seq[Path] = roots
    .flatMap(root => Using.resource(Files.walk(root))(_.iterator().asScala.toVector))
    .filter(file => file.toString.endsWith(".scala") && !file.endsWith("org/apache/spark/sql/classic.scala"))

  private def layerOf(file: Path): String = {
    val path = roots.find(file.startsWith).get.relativize(file).iterator().asScala.map(_.toString).toVector
    val own = path.init.mkString(".")
    if (own == "org.sparkdl") path.last.stripSuffix(".scala")
    else own.replace(bridge, "bridge").stripPrefix("org.sparkdl.")
  }

  /** The code of a file, without comments and texts. */
  private def code(file: Path): String = Files
    .readString(file)
    .replaceAll("(?s)\"\"\".*?\"\"\"", "\"\"")
    .replaceAll("\"(\\\\.|[^\"\\\\\n])*\"", "\"\"")
    .replaceAll("(?s)/\\*.*?\\*/", "")
    .replaceAll("//.*", "")

  private val imported = """(org\.sparkdl|org\.apache\.spark\.sql\.sparkdl)\.(\{[^}]*}|\w+(?:\.\w+)?)""".r

  /** The layers that a file names, by imports and in full; files of the root package also see each other. */
  private def named(file: Path): Seq[String] = {
    val text = code(file)
    val inFull = imported.findAllMatchIn(text.replaceFirst("package \\S+", "")).toSeq.flatMap { found =>
      val parts = found.group(2).split("[{}, \n]+").filter(_.nonEmpty).toSeq
      if (found.group(1) == bridge) parts.map(part => s"bridge.${part.takeWhile(_ != '.')}")
      else parts.map(part => layers.find(_ == part).getOrElse(part.takeWhile(_ != '.')))
    }
    val root = layers.filter(l => l.head.isUpper && file.getNameCount == sources.getNameCount + 3)
    (inFull ++ root.filter(r => s"\\b$r\\b".r.findFirstIn(text).isDefined)).distinct
  }

  test("every package and every file of the root package is a layer") {
    val found = files.map(layerOf).distinct
    assert(found.diff(layers).isEmpty, ": add them to the list here and in docs/architecture.md")
    assert(layers.diff(found).isEmpty, ": nothing is left of them")
  }

  test("no package knows one above it") {
    val climbing = for {
      file <- files
      own = layerOf(file)
      other <- named(file)
      if other != own && layers.indexOf(other) > layers.indexOf(own)
    } yield s"$file ($own) knows $other"
    assert(climbing.isEmpty, climbing.mkString("\n", "\n", "\n"))
  }

  test("docs/architecture.md has the layers in this order") {
    val row = """\| `([\w.]+)`.*""".r
    val table = Files
      .readAllLines(Paths.get("docs/architecture.md"))
      .asScala
      .toSeq
      .dropWhile(!_.startsWith("| package |"))
      .takeWhile(_.startsWith("|"))
    assert(table.collect { case row(name) => name } == layers)
  }

  test("docs/architecture.md says of the bridge's packages what their documentation says") {
    val packages = files.filter(f => f.endsWith("package.scala") && layerOf(f).startsWith("bridge."))
    val missing = packages.filterNot { file =>
      val text = Files.readString(file).split("/\\*\\*|\\*/")(1).replaceAll("\n +\\*", " ").trim.replaceAll(" +", " ")
      val row = s"| `${layerOf(file)}` | ${text.split("\\.( |$)").head} |"
      Files.readString(Paths.get("docs/architecture.md")).contains(row)
    }
    assert(packages.size == layers.count(_.startsWith("bridge.")) && missing.isEmpty)
  }

  test("only runtime and model import TensorFlow and JavaCPP; graph edits GraphDefs") {
    val wrong = files.filterNot(f => Set("runtime", "model")(layerOf(f))).flatMap { f =>
      "org\\.(tensorflow|bytedeco)\\.[\\w.]+".r
        .findAllIn(code(f))
        .filterNot(name => layerOf(f) == "graph" && name.startsWith("org.tensorflow.proto."))
        .map(name => s"$f: $name")
    }
    assert(wrong.isEmpty, wrong.mkString("\n"))
  }
}
