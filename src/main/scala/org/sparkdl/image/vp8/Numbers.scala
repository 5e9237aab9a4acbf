package org.sparkdl.image.vp8

/** Tables of numbers as the RFC prints them. */
private[vp8] object Numbers {
  def in(text: String): Array[Int] = text.trim.split("\\s+").map(_.toInt)
}
