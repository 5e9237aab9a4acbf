package org.sparkdl.doctor

/** One thing that was checked.
  *
  * @param topic
  *   what was checked, e.g. "JDK"
  * @param value
  *   the result
  * @param remedy
  *   how to fix it; empty when there is nothing to fix
  */
final case class Finding(topic: String, value: String, remedy: String = "") {
  def ok: Boolean = remedy.isEmpty

  /** One line for people. */
  def line: String = if (ok) s"$topic: $value" else s"$topic: $value  PROBLEM: $remedy"
}
