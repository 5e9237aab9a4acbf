package org.sparkdl.model

import java.nio.channels.FileChannel
import java.nio.file.{Path, StandardOpenOption}

import com.google.protobuf.{CodedInputStream, UnsafeByteOperations}
import org.tensorflow.proto.{GraphDef, SavedModel}

/** Graphs read from a file that is mapped: the values of large constants, which make up most of it, stay in the file
  * instead of being copied onto the driver's heap.
  */
private[model] object MappedProtos {

  def graphDef(file: Path): GraphDef = GraphDef.parseFrom(input(file))

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
