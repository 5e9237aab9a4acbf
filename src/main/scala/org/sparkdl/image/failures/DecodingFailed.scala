package org.sparkdl.image.failures

/** Says why pixels cannot be had although the header can be read; never leaves the package of images, and carries no
  * stack trace because it is a result and not a fault.
  */
private[image] final class DecodingFailed private (val why: String) extends RuntimeException(why, null, false, false)

private[image] object DecodingFailed {
  private val Truncated = "its data ends before the picture does (truncated file)"

  def truncated(): DecodingFailed = new DecodingFailed(Truncated)

  /** `who` decoded it and said `what`. */
  def corrupt(who: String, what: String): DecodingFailed =
    new DecodingFailed(s"its data is corrupt ($who: ${String.valueOf(what).linesIterator.take(1).mkString})")
}
