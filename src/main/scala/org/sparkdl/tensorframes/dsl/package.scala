package org.sparkdl.tensorframes

import scala.annotation.unused

/** A small language for TensorFlow programs: `import org.sparkdl.tensorframes.dsl._`.
  *
  * {{{
  * val x = df.block("x")
  * df.mapBlocks(x * 2 + 1.0 named "z")
  * }}}
  *
  * Operations are immutable descriptions, so that threads do not see each other's; this is why they are not those of
  * TensorFlow Java, which belong to a native graph that is changed with each of them and has to be closed. Graphs
  * written with TensorFlow Java's `Ops` are programs, too: `Program.fromBytes(graph.toGraphDef.toByteArray, "z")`.
  */
package object dsl extends dsl.OperationFunctions {

  /** A value on the left: `1.0 - x`. */
  implicit final class ValueOps[T](private val value: T)(implicit @unused constant: Constant[T]) {
    def +(x: Operation): Operation = left(x) + x
    def -(x: Operation): Operation = left(x) - x
    def *(x: Operation): Operation = left(x) * x
    def /(x: Operation): Operation = left(x) / x
    private def left(x: Operation) = Literal.of(value).matching(x.dtype)
  }
}
