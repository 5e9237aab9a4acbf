package org.sparkdl.graph

/** Values by their keys. */
private[sparkdl] object Groups {

  /** The values of each key, in their order. */
  def of[K, V](pairs: Seq[(K, V)]): Map[K, Seq[V]] =
    pairs.groupBy(_._1).map { case (key, found) => key -> found.map(_._2) }
}
