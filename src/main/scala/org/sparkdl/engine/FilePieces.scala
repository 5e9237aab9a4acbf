package org.sparkdl.engine

import java.io.{ByteArrayInputStream, ByteArrayOutputStream, DataInputStream, DataOutputStream}
import java.security.MessageDigest
import java.util.Arrays

/** A part of a file.
  *
  * @param number
  *   among the pieces of all files
  * @param sha256
  *   of its bytes
  */
final private[engine] case class FilePiece(
    number: Int,
    file: String,
    offset: Long,
    length: Int,
    sha256: Array[Byte]
) {
  def isMadeOf(bytes: Array[Byte]): Boolean = Arrays.equals(FilePiece.sha256(bytes), sha256)
}

private[engine] object FilePiece {
  def sha256(bytes: Array[Byte]): Array[Byte] = MessageDigest.getInstance("SHA-256").digest(bytes)
}

/** What files consist of.
  *
  * @param files
  *   their relative names and sizes; an empty one has no pieces
  */
final private[engine] case class FileTable(files: Seq[(String, Long)], pieces: Seq[FilePiece]) {

  /** As bytes, which is all that is broadcast: with `spark.kryo.registrationRequired` Spark sends no classes that it
    * does not know.
    */
  def toBytes: Array[Byte] = {
    val bytes = new ByteArrayOutputStream()
    val out = new DataOutputStream(bytes)
    out.writeInt(files.size)
    files.foreach { case (name, size) => out.writeUTF(name); out.writeLong(size) }
    out.writeInt(pieces.size)
    pieces.foreach { p =>
      out.writeInt(p.number); out.writeUTF(p.file); out.writeLong(p.offset); out.writeInt(p.length);
      out.write(p.sha256)
    }
    out.flush()
    bytes.toByteArray
  }
}

private[engine] object FileTable {
  private val DigestBytes = 32

  def of(bytes: Array[Byte]): FileTable = {
    val in = new DataInputStream(new ByteArrayInputStream(bytes))
    val files = Vector.fill(in.readInt())((in.readUTF(), in.readLong()))
    FileTable(files, Vector.fill(in.readInt())(piece(in)))
  }

  private def piece(in: DataInputStream): FilePiece =
    FilePiece(in.readInt(), in.readUTF(), in.readLong(), in.readInt(), in.readNBytes(DigestBytes))
}
