package org.sparkdl.graph

import scala.collection.mutable

/** Walks of graphs. */
private[sparkdl] object Reached {

  /** Everything that is reached from `start` in any number of steps, including `start` itself. */
  def from[T](start: Iterable[T])(next: T => Iterable[T]): collection.Set[T] = {
    val reached = mutable.LinkedHashSet.empty[T]
    val pending = mutable.Stack.from(start)
    while (pending.nonEmpty) {
      val item = pending.pop()
      if (reached.add(item)) pending.pushAll(next(item))
    }
    reached
  }
}
