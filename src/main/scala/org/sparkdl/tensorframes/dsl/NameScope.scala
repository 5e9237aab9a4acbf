package org.sparkdl.tensorframes.dsl

/** A prefix of names. Each use of `scope("a")` is a separate object; which of them is "a" and which "a_1" is decided
  * when a graph is built.
  */
final private[dsl] class NameScope(val name: String, val parent: Option[NameScope])

private[dsl] object NameScope {
  // Of this thread alone, and only as long as a block runs: programs are built in many threads.
  private val innermost = new ThreadLocal[Option[NameScope]] {
    override def initialValue(): Option[NameScope] = None
  }

  def current: Option[NameScope] = innermost.get

  def within[T](name: String)(body: => T): T = {
    val outer = innermost.get
    innermost.set(Some(new NameScope(name, outer)))
    try body
    finally innermost.set(outer)
  }
}
