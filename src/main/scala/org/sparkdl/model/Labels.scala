package org.sparkdl.model

import scala.io.Source
import scala.jdk.CollectionConverters._
import scala.util.{Try, Using}

import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.apache.hadoop.conf.Configuration

import org.sparkdl.errors.{ModelNotFoundException, SettingsException}
import org.sparkdl.files.{Place, TextFile}

/** Reads names of classes, from the same files as `sparkdl.labels.read_labels` in Python. */
private[sparkdl] object Labels {

  /** (class, description) of each class, in the order of the model's outputs.
    *
    * @param path
    *   Keras' class index (`{"0": ["n01440764", "tench"], ...}`), a JSON list, or text with one label per line (class
    *   and description separated by a tab, if there are two; numbers in front that count the lines from 0 are left
    *   out); any path or URI, in UTF-8 or UTF-16
    */
  def read(path: String, hadoop: Configuration): Seq[(String, String)] = {
    val text = TextFile.decode(content(path, hadoop)).fold(fail(path, _), identity)
    val start = text.trim.take(1)
    val labels = if (start == "{" || start == "[") ofJson(path, text) else ofLines(path, text)
    if (labels.isEmpty) fail(path, "it is empty")
    labels
  }

  /** ImageNet's 1000 classes, in the order of the networks of `keras.applications`. */
  lazy val imagenet: Seq[(String, String)] =
    Using.resource(
      Source.fromInputStream(getClass.getResourceAsStream("/org/sparkdl/imagenet_classes.txt"), "UTF-8")
    ) {
      _.getLines().map(line => pair("ImageNet's classes", line.split("\t").toSeq)).toVector
    }

  private def ofLines(path: String, text: String): Seq[(String, String)] = {
    val lines = TextFile.lines(text)
    val numbered = lines.map {
      case Numbered(number, name) => Some(number -> name)
      case _                      => None
    }
    val counted = numbered.zipWithIndex.forall { case (n, i) => n.exists(_._1 == i.toString) }
    val names = if (counted) numbered.flatten.map(_._2) else lines
    names.map(line => pair(path, line.split("\t", 2).toSeq.map(_.trim)))
  }

  /** A number in front, as the tool that trains classifiers in the browser writes it: "0 cats". */
  private val Numbered = """(\d+) +(.*)""".r

  private def ofJson(path: String, text: String): Seq[(String, String)] = {
    val json = parse(path, text)
    val items =
      if (json.isArray) json.asScala.toVector
      else json.properties().asScala.toVector.map(e => number(path, e.getKey) -> e.getValue).sortBy(_._1).map(_._2)
    items.map(i => pair(path, (if (i.isArray) i.asScala.toVector else Seq(i)).map(nameOf(path, _))))
  }

  private def nameOf(path: String, item: JsonNode): String =
    if (item.isTextual) item.asText else fail(path, s"expected names as text, got $item")

  private def content(path: String, hadoop: Configuration): Array[Byte] = {
    val place = Place.of(path)
    val file = place.source(hadoop)
    place.attempt {
      val fs = file.getFileSystem(hadoop)
      if (!fs.exists(file) || fs.getFileStatus(file).isDirectory)
        throw new ModelNotFoundException(s"There is no labels file '$path'.")
      Using.resource(fs.open(file))(_.readAllBytes())
    }
  }

  private def parse(path: String, text: String): JsonNode =
    try new ObjectMapper().readTree(text)
    catch { case e: JsonProcessingException => fail(path, s"it is not JSON: ${e.getOriginalMessage}") }

  private def number(path: String, key: String): Int =
    Try(key.toInt).getOrElse(fail(path, s"expected numbers of classes as keys, got '$key'"))

  private def pair(path: String, parts: Seq[String]): (String, String) = parts match {
    case Seq(name)              => name -> name
    case Seq(name, description) => name -> description
    case other => fail(path, s"expected a name, or a class and its description, got ${other.size} names")
  }

  private def fail(path: String, why: String): Nothing =
    throw new SettingsException(s"Cannot read the labels file '$path': $why.")
}
