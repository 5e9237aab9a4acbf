package org.sparkdl.files

import java.io.InputStream
import java.nio.file.{Files, Path}
import java.security.MessageDigest

/** SHA-256 sums, in hexadecimal. */
object Sha256 {

  def of(bytes: Array[Byte]): String = hex(MessageDigest.getInstance("SHA-256").digest(bytes))

  def of(file: Path): String = {
    val stream = Files.newInputStream(file)
    try of(stream)
    finally stream.close()
  }

  def of(stream: InputStream): String = {
    val digest = MessageDigest.getInstance("SHA-256")
    val buffer = new Array[Byte](1 << 20)
    Iterator.continually(stream.read(buffer)).takeWhile(_ >= 0).foreach(digest.update(buffer, 0, _))
    hex(digest.digest())
  }

  private def hex(bytes: Array[Byte]): String = bytes.map(b => f"${b & 0xff}%02x").mkString
}
