package org.sparkdl.model

import java.nio.charset.StandardCharsets

import scala.jdk.CollectionConverters._
import scala.util.Using

import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.{Path => HadoopPath}

import org.sparkdl.errors.{ModelNotFoundException, SparkDLException}

/** Reads names of classes, from the same files as `sparkdl.labels.read_labels` in Python. */
private[sparkdl] object Labels {

  /** (class, description) of each class, in the order of the model's outputs.
    *
    * @param path
    *   Keras' class index (`{"0": ["n01440764", "tench"], ...}`), a JSON list, or text with one label per line (class
    *   and description separated by a tab, if there are two); any Hadoop path
    */
  def read(path: String, hadoop: Configuration): Seq[(String, String)] = {
    val text = content(path, hadoop)
    if (!text.trim.startsWith("{") && !text.trim.startsWith("["))
      text.linesIterator.filter(_.trim.nonEmpty).map(_.split("\t", 2).toSeq).map(pair(path, _)).toSeq
    else {
      val json = parse(path, text)
      val items =
        if (json.isArray) json.asScala.toSeq
        else json.properties().asScala.toSeq.sortBy(e => number(path, e.getKey)).map(_.getValue)
      items.map(i => pair(path, if (i.isArray) i.asScala.map(_.asText).toSeq else Seq(i.asText)))
    }
  }

  private def content(path: String, hadoop: Configuration): String = {
    val file = new HadoopPath(path)
    val fs = file.getFileSystem(hadoop)
    if (!fs.exists(file)) throw new ModelNotFoundException(s"There is no labels file '$path'.")
    Using.resource(fs.open(file))(in => new String(in.readAllBytes(), StandardCharsets.UTF_8))
  }

  private def parse(path: String, text: String): JsonNode =
    try new ObjectMapper().readTree(text)
    catch { case e: JsonProcessingException => fail(path, s"it is no JSON: ${e.getOriginalMessage}") }

  private def number(path: String, key: String): Int =
    key.toIntOption.getOrElse(fail(path, s"expected numbers of classes as keys, got '$key'"))

  private def pair(path: String, parts: Seq[String]): (String, String) = parts match {
    case Seq(name)              => name.trim -> name.trim
    case Seq(name, description) => name.trim -> description.trim
    case other                  => fail(path, s"expected a name, or a class and its description, got $other")
  }

  private def fail(path: String, why: String): Nothing =
    throw new SparkDLException(s"Cannot read the labels file '$path': $why.")
}
