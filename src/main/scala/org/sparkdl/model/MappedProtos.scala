package org.sparkdl.model

import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.file.{Path, StandardOpenOption}

import com.google.protobuf.{CodedInputStream, UnsafeByteOperations}
import org.tensorflow.proto.{GraphDef, SavedModel}

import org.sparkdl.errors.InvalidModelException

/** Graphs read from a file that is mapped: the values of large constants, which make up most of it, stay in the file
  * instead of being copied onto the driver's heap.
  */
private[model] object MappedProtos {

  /** The graph of a file.
    *
    * @param address
    *   what the user calls it
    * @throws org.sparkdl.errors.InvalidModelException
    *   if it cannot be read, or is none
    */
  def graphDef(file: Path, address: String): GraphDef =
    try GraphDef.parseFrom(input(file))
    catch {
      case e: IOException =>
        throw new InvalidModelException(
          s"Cannot read the graph '$address': ${e.getMessage} Copy or export the model again.",
          e
        )
    }

  def graphDef(file: Path): GraphDef = graphDef(file, file.toString)

  def savedModel(file: Path): SavedModel = SavedModel.parseFrom(input(file))

  private def input(file: Path): CodedInputStream = {
    val channel = FileChannel.open(file, StandardOpenOption.READ)
    try {
      val mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
      val stream = UnsafeByteOperations.unsafeWrap(mapped).newCodedInput()
      stream.enableAliasing(true)
      stream
    } finally channel.close()
  }
}
