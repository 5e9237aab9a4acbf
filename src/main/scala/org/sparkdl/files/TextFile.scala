package org.sparkdl.files

import java.nio.{ByteBuffer, CharBuffer}
import java.nio.charset.{Charset, CodingErrorAction, StandardCharsets}

/** Text as people's editors write it; the rules are those of `sparkdl._text_files` in Python. */
private[sparkdl] object TextFile {
  private val Utf8 = (Array(0xef, 0xbb, 0xbf), "UTF-8", Some(StandardCharsets.UTF_8))

  /** Encodings by their byte order marks; UTF-32's contains UTF-16's, so it comes first. */
  private val Marks: Seq[(Array[Int], String, Option[Charset])] = Seq(
    (Array(0xff, 0xfe, 0, 0), "UTF-32", None),
    (Array(0, 0, 0xfe, 0xff), "UTF-32", None),
    Utf8,
    (Array(0xff, 0xfe), "UTF-16", Some(StandardCharsets.UTF_16LE)),
    (Array(0xfe, 0xff), "UTF-16", Some(StandardCharsets.UTF_16BE))
  )

  /** The text, which is UTF-8, or UTF-16 with its byte order mark; or the reason why it cannot be decoded. */
  def decode(bytes: Array[Byte]): Either[String, String] = {
    val (mark, name, charset) = Marks
      .find { case (m, _, _) => bytes.startsWith(m.map(_.toByte)) }
      .getOrElse(Utf8.copy(_1 = Array.empty[Int]))
    charset match {
      case None    => Left(s"it is $name, which is not read; save it as UTF-8")
      case Some(c) => decodeStrictly(bytes, mark.length, name, c)
    }
  }

  private def decodeStrictly(
      bytes: Array[Byte],
      from: Int,
      name: String,
      charset: Charset
  ): Either[String, String] = {
    val in = ByteBuffer.wrap(bytes, from, bytes.length - from)
    val out = CharBuffer.allocate(bytes.length)
    val decoder = charset.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
    if (decoder.decode(in, out, true).isError)
      Left(f"byte 0x${bytes(in.position()) & 0xff}%02X at offset ${in.position()} is not $name; save it as UTF-8")
    else Right(out.flip().toString)
  }

  /** The lines, with any system's line ends, trimmed; empty ones are left out. */
  def lines(text: String): Seq[String] = text.split("\r\n|\r|\n").toSeq.map(_.trim).filter(_.nonEmpty)
}
