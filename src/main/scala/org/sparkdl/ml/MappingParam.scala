package org.sparkdl.ml

import java.util.{Map => JMap, TreeMap}

import scala.jdk.CollectionConverters._

import com.fasterxml.jackson.databind.ObjectMapper
import org.apache.spark.ml.param.{Param, Params}

/** A param of pairs of names, sorted by the first. A Java map, so that Java and Python can set it as it is. */
final class MappingParam(parent: Params, name: String, doc: String)
    extends Param[JMap[String, String]](parent, name, doc, (_: JMap[String, String]) => true) {

  override def jsonEncode(value: JMap[String, String]): String = MappingParam.json.writeValueAsString(value)

  override def jsonDecode(json: String): JMap[String, String] =
    MappingParam.json.readValue(json, classOf[TreeMap[String, String]])
}

private[ml] object MappingParam {
  private val json = new ObjectMapper()

  def sorted(value: Iterable[(String, String)]): JMap[String, String] = {
    val map = new TreeMap[String, String]()
    value.foreach { case (k, v) => map.put(k, v) }
    map
  }

  def pairs(value: JMap[String, String]): Seq[(String, String)] = value.asScala.toSeq.sorted
}
