package org.sparkdl.graph

/** Names that a graph does not have yet. */
private[sparkdl] final class FreshNames(taken: Iterable[String]) {
  private val used = collection.mutable.Set(taken.toSeq: _*)

  def apply(wanted: String): String =
    (Iterator(wanted) ++ Iterator.from(1).map(i => s"${wanted}_$i")).find(used.add).get
}
