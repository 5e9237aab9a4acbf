package org.sparkdl.graph

import scala.collection.mutable

/** Walks of graphs. */
private[sparkdl] object Reached {

  /** Everything that is reached from `start` in any number of steps, including `start` itself. */
  def from[T](start: Iterable[T])(next: T => Iterable[T]): collection.Set[T] = {
    val reached = mutable.LinkedHashSet.empty[T]
    var pending = start.toList
    while (pending.nonEmpty) {
      val item = pending.head
      pending = pending.tail
      if (reached.add(item)) pending = next(item).foldLeft(pending)((others, one) => one :: others)
    }
    reached
  }
}
