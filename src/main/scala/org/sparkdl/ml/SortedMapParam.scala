package org.sparkdl.ml

import java.util.{Map => JMap, TreeMap}

import com.fasterxml.jackson.databind.ObjectMapper
import org.apache.spark.ml.param.{Param, Params}

/** A param of values by name, sorted by name. A Java map, so that Java and Python can set it as it is. */
final class SortedMapParam[V](parent: Params, name: String, doc: String)
    extends Param[JMap[String, V]](parent, name, doc, (_: JMap[String, V]) => true) {

  override def jsonEncode(value: JMap[String, V]): String = SortedMapParam.json.writeValueAsString(value)

  override def jsonDecode(json: String): JMap[String, V] =
    SortedMapParam.json.readValue(json, classOf[TreeMap[String, V]])
}

private[ml] object SortedMapParam {
  private val json = new ObjectMapper() // NaN and infinities become texts

  def sorted[V](values: Iterable[(String, V)]): JMap[String, V] = {
    val map = new TreeMap[String, V]()
    values.foreach { case (name, value) => map.put(name, value) }
    map
  }
}
