package org.sparkdl.image

import java.nio.charset.StandardCharsets.ISO_8859_1

/** Says why a header cannot be used; never leaves this package, and carries no stack trace because it is a result and
  * not a fault.
  */
private[image] final class HeaderRefused(val reason: String) extends RuntimeException(reason, null, false, false)

/** Bounds-checked reading of unsigned numbers from bytes; reading past the end says that the file is truncated. */
private[image] final class ByteCursor(bytes: Array[Byte], format: String) {

  def length: Int = bytes.length

  def u8(at: Int): Int = {
    if (at < 0 || at >= bytes.length) refuse(s"ends inside its header after ${bytes.length} bytes (truncated file)")
    bytes(at) & 0xff
  }

  def u16be(at: Int): Int = (u8(at) << 8) | u8(at + 1)
  def u16le(at: Int): Int = u8(at) | (u8(at + 1) << 8)
  def u24le(at: Int): Int = u16le(at) | (u8(at + 2) << 16)
  def u32be(at: Int): Long = (u16be(at).toLong << 16) | u16be(at + 2)
  def u32le(at: Int): Long = u16le(at).toLong | (u16le(at + 2).toLong << 16)
  def i32le(at: Int): Int = u32le(at).toInt

  /** Whether this ASCII text is at this position; false past the end. */
  def has(at: Int, text: String): Boolean =
    at >= 0 && at.toLong + text.length <= bytes.length && text.indices.forall(i => bytes(at + i) == text.charAt(i))

  def ascii(at: Int, count: Int): String = {
    u8(at + count - 1)
    new String(bytes, at, count, ISO_8859_1)
  }

  def refuse(what: String): Nothing = throw new HeaderRefused(s"this $format $what")
}
