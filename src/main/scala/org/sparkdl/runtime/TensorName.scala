package org.sparkdl.runtime

import scala.util.Try

/** What tensors are called: "op:1", or "op" for the first output of an operation. Among the inputs of a node, "^op"
  * is an operation that only has to run before.
  */
private[sparkdl] object TensorName {

  /** "op:1" -> ("op", 1); "op" -> ("op", 0); -1 for an index that is not a number. */
  def split(tensor: String): (String, Int) = tensor.lastIndexOf(':') match {
    case -1 => (tensor, 0)
    case i  => (tensor.substring(0, i), Try(tensor.substring(i + 1).toInt).getOrElse(-1))
  }

  /** The operation of a tensor, or of any input of a node; in functions these are called "op:output:0". */
  def operation(input: String): String = input.stripPrefix("^").takeWhile(_ != ':')

  /** Whether an input of a node is not a tensor but an operation to wait for. */
  def isControl(input: String): Boolean = input.startsWith("^")

  /** With its index: "op" -> "op:0". */
  def indexed(tensor: String): String = if (tensor.contains(':')) tensor else s"$tensor:0"

  /** As people write it: "op:0" -> "op". */
  def short(tensor: String): String = tensor.stripSuffix(":0")
}
