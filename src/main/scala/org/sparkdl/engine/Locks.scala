package org.sparkdl.engine

import java.util.concurrent.ConcurrentHashMap

/** A lock per key, for as long as somebody has it or waits for it: what concerns one model does not hold up others.
  */
final private[engine] class Locks {
  private final class Lock { var users = 0 }
  private val locks = new ConcurrentHashMap[String, Lock]()

  def withLock[T](key: String)(body: => T): T = {
    val lock = locks.compute(
      key,
      (_, known) => { val lock = if (known == null) new Lock else known; lock.users += 1; lock }
    )
    try lock.synchronized(body)
    finally { locks.computeIfPresent(key, (_, l) => { l.users -= 1; if (l.users == 0) null else l }); () }
  }

  private[engine] def isEmpty: Boolean = locks.isEmpty
}
