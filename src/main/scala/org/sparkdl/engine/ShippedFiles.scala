package org.sparkdl.engine

import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.{Files, Path}
import java.nio.file.StandardOpenOption.{CREATE, READ, WRITE}

import scala.util.{Random, Using}

import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.sparkdl.blocks.DiskBlocks

import org.sparkdl.errors.SparkDLException

/** Files on their way to the executors, in pieces that each process passes on: no process ever has more than one of
  * them in its heap, whatever the size of the files.
  *
  * @param blocks
  *   owns the pieces
  * @param table
  *   a serialized [[FileTable]]
  */
final private[engine] class ShippedFiles private (val blocks: Broadcast[Array[Byte]], table: Broadcast[Array[Byte]])
    extends Serializable {

  /** Writes the files into a directory. */
  def writeTo(directory: Path): Unit = {
    val FileTable(files, pieces) = FileTable.of(table.value)
    files.foreach { case (name, _) =>
      Files.createDirectories(directory.resolve(name).getParent)
      Files.createFile(directory.resolve(name))
    }
    // Each process in an order of its own, so that all soon have pieces that others need.
    Random.shuffle(pieces).foreach(write(_, directory))
  }

  /** Whether a directory has the files, undamaged. */
  def areIn(directory: Path): Boolean = {
    val FileTable(files, pieces) = FileTable.of(table.value)
    files.forall { case (name, size) =>
      val file = directory.resolve(name)
      Files.isRegularFile(file) && Files.size(file) == size
    } && pieces.forall(piece => piece.isMadeOf(read(piece, directory)))
  }

  private def write(piece: FilePiece, directory: Path): Unit = {
    val bytes = Iterator.continually(fetch(piece)).take(ShippedFiles.Attempts).flatten.find(_ => true)
    val content = ByteBuffer.wrap(bytes.getOrElse(throw damaged(piece)))
    Using.resource(FileChannel.open(directory.resolve(piece.file), WRITE, CREATE)) { file =>
      while (content.hasRemaining) file.write(content, piece.offset + content.position())
    }
    DiskBlocks.put(blocks, piece.number, content.array)
  }

  /** The bytes of a piece; None if what arrived is damaged, and this process's own copy of it is gone then. */
  private def fetch(piece: FilePiece): Option[Array[Byte]] = {
    val bytes = DiskBlocks.get(blocks, piece.number).getOrElse(throw lost(piece))
    if (piece.isMadeOf(bytes)) Some(bytes) else { DiskBlocks.remove(blocks, piece.number); None }
  }

  private def read(piece: FilePiece, directory: Path): Array[Byte] =
    Using.resource(FileChannel.open(directory.resolve(piece.file), READ)) { file =>
      val bytes = ByteBuffer.allocate(piece.length)
      while (bytes.hasRemaining && file.read(bytes, piece.offset + bytes.position()) >= 0) {}
      bytes.array
    }

  private def lost(piece: FilePiece) = new SparkDLException(
    s"Piece ${piece.number} of '${piece.file}' is nowhere: neither the driver nor an executor has it any more. Run the " +
      "job again; if that does not help, look into the driver's log for what removed its blocks from spark.local.dir."
  )

  private def damaged(piece: FilePiece) = new SparkDLException(
    s"Piece ${piece.number} of '${piece.file}' arrived damaged ${ShippedFiles.Attempts} times: its SHA-256 is not that " +
      "of the driver's file. Look at the disks under spark.local.dir and the network of the machines involved."
  )
}

private[engine] object ShippedFiles {

  /** Small beside the heap of any executor, and large enough for few messages. */
  val PieceBytes: Int = 4 << 20

  private val Attempts = 3

  /** Puts the pieces of files where executors find them; runs on the driver.
    *
    * @param files
    *   their relative names and where they are
    */
  def of(context: SparkContext, files: Seq[(String, Path)], pieceBytes: Int = PieceBytes): ShippedFiles = {
    val blocks = context.broadcast(Array.emptyByteArray)
    val pieces = Vector.newBuilder[FilePiece]
    var number = 0
    for ((name, path) <- files; (offset, bytes) <- piecesOf(path, pieceBytes)) {
      DiskBlocks.put(blocks, number, bytes)
      pieces += FilePiece(number, name, offset, bytes.length, FilePiece.sha256(bytes))
      number += 1
    }
    val table = FileTable(files.map { case (name, path) => name -> Files.size(path) }, pieces.result())
    new ShippedFiles(blocks, context.broadcast(table.toBytes))
  }

  /** The offsets and the bytes of the pieces of a file, one at a time. */
  private def piecesOf(file: Path, pieceBytes: Int): Iterator[(Long, Array[Byte])] = {
    val size = Files.size(file)
    Iterator.iterate(0L)(_ + pieceBytes).takeWhile(_ < size).map { offset =>
      Using.resource(Files.newByteChannel(file, READ)) { channel =>
        val bytes = ByteBuffer.allocate(math.min(pieceBytes.toLong, size - offset).toInt)
        channel.position(offset)
        while (bytes.hasRemaining && channel.read(bytes) >= 0) {}
        offset -> bytes.array
      }
    }
  }
}
