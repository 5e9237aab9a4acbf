package org.sparkdl.doctor

/** One thing that was looked at.
  *
  * @param topic
  *   what, e.g. "JDK"
  * @param value
  *   what was found
  * @param remedy
  *   how to mend it; empty when there is nothing to mend
  */
final case class Finding(topic: String, value: String, remedy: String = "") {
  def ok: Boolean = remedy.isEmpty

  /** One line for people. */
  def line: String = if (ok) s"$topic: $value" else s"$topic: $value  PROBLEM: $remedy"
}
