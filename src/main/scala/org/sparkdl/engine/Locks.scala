package org.sparkdl.engine

import java.util.concurrent.ConcurrentHashMap

/** A lock per key: what concerns one model does not hold up others. */
final private[engine] class Locks {
  private val locks = new ConcurrentHashMap[String, AnyRef]()

  def withLock[T](key: String)(body: => T): T = locks.computeIfAbsent(key, _ => new Object).synchronized(body)
}
