package org.sparkdl.image

import org.sparkdl.runtime.{DType, GraphDefs, GraphOptimizer, NativeRuntime, SessionConfig, TfGraph, TfRun, TfSession}

/** TensorFlow's decoders in one graph and session per JVM, which lives as long as the JVM. Thread-safe. */
private[image] object DecodeGraph {

  /** The scales (1/r) at which libjpeg can decode directly. */
  val JpegRatios: Seq[Int] = Seq(1, 2, 4, 8)

  private val Bytes = "bytes"

  @volatile private var runs: Map[String, TfRun] = Map.empty

  /** The run that decodes a file of that format to uint8 `[height, width, channels]` (GIF: `[1, height, width, 3]`).
    */
  def decoder(runtime: NativeRuntime, format: String, ratio: Int): TfRun =
    openOnce(runtime)(if (format == "JPEG") jpegName(ratio) else format.toLowerCase)

  /** Opened with the runtime of the first caller: if this is the first session of the JVM, it decides the size of the
    * thread pool that all models share.
    */
  private def openOnce(runtime: NativeRuntime): Map[String, TfRun] = {
    if (runs.isEmpty) synchronized { if (runs.isEmpty) runs = open(runtime) }
    runs
  }

  private def open(runtime: NativeRuntime): Map[String, TfRun] = {
    val names = JpegRatios.map(jpegName) ++ Seq("png", "gif")
    val graph = TfGraph.fromBytes(runtime, definition)
    // Decoders run in the calling thread whatever the number of threads; there is nothing to optimise in the graph.
    val session =
      try TfSession.open(runtime, graph, SessionConfig(optimizer = GraphOptimizer.Off))
      catch { case e: Throwable => graph.close(); throw e }
    val input = graph.output(Bytes).toSeq
    names.map(n => n -> session.prepare(input, graph.output(n).toSeq)).toMap
  }

  private def jpegName(ratio: Int) = s"jpeg_$ratio"

  /** Channels are left at TensorFlow's default, 0 = as in the file; CMYK comes out as RGB. */
  private def definition: Array[Byte] = {
    val defs = new GraphDefs().placeholder(Bytes, DType.Str)
    JpegRatios.foreach(r => defs.node("DecodeJpeg", jpegName(r), Seq(Bytes), Map("ratio" -> r.toLong)))
    defs
      .node("DecodePng", "png", Seq(Bytes))
      .node("DecodeGif", "gif", Seq(Bytes))
    defs.toBytes
  }
}
