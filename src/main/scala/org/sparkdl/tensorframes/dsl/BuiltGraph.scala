package org.sparkdl.tensorframes.dsl

import org.sparkdl.graph.FreshNames
import org.sparkdl.runtime.GraphDefs

/** The graph of some operations.
  *
  * @param outputs
  *   the name of each operation and its tensor
  * @param feeds
  *   placeholders that were made for a column of another name, and these columns
  */
final private[tensorframes] case class BuiltGraph(
    graphDef: Array[Byte],
    outputs: Seq[(String, String)],
    feeds: Map[String, String]
)

private[tensorframes] object BuiltGraph {

  def of(fetches: Seq[Operation]): BuiltGraph = new GraphBuilder().build(fetches)
}

/** Names operations, each after those that it needs, and writes them. */
final private class GraphBuilder {
  private val graph = new GraphDefs
  private val names = new FreshNames(Nil)
  private val written = collection.mutable.Map.empty[Any, String]
  private val scopes = collection.mutable.Map.empty[NameScope, String]
  private val feeds = Map.newBuilder[String, String]

  def build(fetches: Seq[Operation]): BuiltGraph = {
    fetches.foreach(write)
    val outputs = fetches.map(f => written(key(f)) -> tensor(f))
    BuiltGraph(graph.toBytes, outputs, feeds.result())
  }

  /** What identifies an operation in the graph: equal placeholders are the same one, however often they were created.
    */
  private def key(o: Operation): Any =
    if (o.op == "Placeholder" && o.scope.isEmpty) (o.name, o.dtype, o.shape, o.column) else o

  /** TensorFlow does not return what it was fed, so a placeholder is fetched through an identity. */
  private def tensor(fetch: Operation): String = {
    val name = written(key(fetch))
    if (fetch.op != "Placeholder") name
    else {
      val copy = names(s"$name/output")
      graph.node("Identity", copy, Seq(name), Map("T" -> fetch.dtype))
      copy
    }
  }

  /** Without recursion, since programs may be long. */
  private def write(fetch: Operation): Unit = {
    val pending = collection.mutable.Stack(fetch)
    while (pending.nonEmpty) {
      val missing = pending.top.inputs.filterNot(i => written.contains(key(i)))
      if (missing.nonEmpty) pending.pushAll(missing.reverse)
      else {
        val operation = pending.pop()
        if (!written.contains(key(operation))) put(operation)
      }
    }
  }

  private def put(o: Operation): Unit = {
    val name = names(o.scope.fold("")(prefix(_) + "/") + o.name)
    graph.node(o.op, name, o.inputs.map(i => written(key(i))), o.attributes)
    written(key(o)) = name
    o.column.filter(_ != name).foreach(c => feeds += name -> c)
  }

  private def prefix(scope: NameScope): String =
    scopes.getOrElseUpdate(scope, names(scope.parent.fold("")(prefix(_) + "/") + scope.name))
}
