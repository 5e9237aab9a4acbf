package org.sparkdl.runtime

import org.bytedeco.javacpp.{BytePointer, Pointer, PointerPointer}
import org.tensorflow.internal.c_api.{TF_Buffer, TF_Operation, TF_Output, TF_Session, TF_SessionOptions, TF_Tensor}
import org.tensorflow.internal.c_api.global.{tensorflow => tf}
import org.tensorflow.proto.{ConfigProto, GPUOptions, GraphOptions, RewriterConfig}

/** What TensorFlow's graph optimiser (Grappler) does before the first run. */
sealed abstract class GraphOptimizer

object GraphOptimizer {

  /** Nothing. */
  case object Off extends GraphOptimizer

  /** All its passes, twice: for graphs that come as they are. */
  case object Full extends GraphOptimizer

  /** Only what depends on the machine, once: fused kernels, and the constants that they need. Enough for graphs that
    * were simplified at export. With ResNet50 (95 MB) the first run takes 1.1 s of CPU time and 0.5 GB less than with
    * the full optimiser; the speed is the same, and so is every bit of the results.
    */
  case object Fusions extends GraphOptimizer
}

/** How a session runs.
  *
  * @param bfloat16
  *   let oneDNN compute matrix products and convolutions in bfloat16
  * @param gpu
  *   TensorFlow's number of the GPU that it computes on; None for the CPU
  */
final case class SessionConfig(
    bfloat16: Boolean = false,
    optimizer: GraphOptimizer = GraphOptimizer.Full,
    gpu: Option[Int] = None
) {

  private def rewrites: RewriterConfig = {
    val rewrites = RewriterConfig.newBuilder()
    optimizer match {
      case GraphOptimizer.Off => rewrites.setDisableMetaOptimizer(true)
      case GraphOptimizer.Full =>
        if (bfloat16) rewrites.setAutoMixedPrecisionOnednnBfloat16(RewriterConfig.Toggle.ON)
      case GraphOptimizer.Fusions =>
        // In this order: what is fused depends on the types.
        rewrites.addOptimizers("constfold")
        if (bfloat16) rewrites.addOptimizers("auto_mixed_precision_onednn_bfloat16")
        rewrites.addOptimizers("remap").setMetaOptimizerIterations(RewriterConfig.NumIterationsType.ONE)
    }
    rewrites.build()
  }

  /** @param threads
    *   of one operation
    */
  private[runtime] def proto(threads: Int): ConfigProto = {
    // -1: the thread that calls run executes the operations. Spark's task threads are the parallelism; a pool beside
    // them would only add context switches.
    val config = ConfigProto
      .newBuilder()
      // Others may share the GPU. All sessions of a process have to see the same ones, so the graph says which it is.
      .setGpuOptions(GPUOptions.newBuilder().setAllowGrowth(true))
      .setIntraOpParallelismThreads(threads)
      .setInterOpParallelismThreads(-1)
      .setAllowSoftPlacement(true)
      .setGraphOptions(GraphOptions.newBuilder().setRewriteOptions(rewrites))
    (if (gpu.isEmpty) config.putDeviceCount("GPU", 0) else config).build()
  }
}

/** A TensorFlow session. `run` may be called from many threads at once. Close it before its graph. */
final class TfSession private (handle: TF_Session, weights: Seq[(TfOutput, TfTensor)] = Nil) extends AutoCloseable {

  /** Fixes what is fed and fetched; the result is immutable and thread-safe. Fetches must be distinct. Weights that
    * the graph has outside are fed besides.
    */
  def prepare(feeds: Seq[TfOutput], fetches: Seq[TfOutput]): TfRun = {
    require(fetches.map(_.name).distinct.size == fetches.size, s"fetches are not distinct: ${fetches.map(_.name)}")
    val fed = feeds.map(_.name).toSet // a constant may be fed another value, as TensorFlow has it
    val (places, values) = weights.filterNot { case (place, _) => fed(place.name) }.unzip
    new TfRun(handle, feeds ++ places, fetches, values)
  }

  private[runtime] def devices: Seq[String] = Gpus.kinds(handle)

  private var open = true

  /** Ends the runs of other threads, which fail, as all later ones will: loops look for this in each round. `close`
    * is to follow when they have returned.
    */
  def cancel(): Unit = synchronized { if (open) Status.check(tf.TF_CloseSession(handle, _)) }

  override def close(): Unit = synchronized {
    if (open) {
      open = false
      try Status.check(tf.TF_CloseSession(handle, _))
      finally Status.check(tf.TF_DeleteSession(handle, _))
    }
  }
}

object TfSession {

  /** A session on `graph`, which must outlive it. */
  def open(runtime: NativeRuntime, graph: TfGraph, config: SessionConfig): TfSession =
    withOptions(runtime, config) { options =>
      val weights = graph.weights.map { case (name, value) => graph.output(name).get -> value }
      new TfSession(Status.check(tf.TF_NewSession(graph.handle, options, _)), weights)
    }

  /** Loads the variables and the graph of a SavedModel directory.
    *
    * @return
    *   the graph, the session and the serialized MetaGraphDef, which holds the signatures
    */
  def openSavedModel(
      runtime: NativeRuntime,
      directory: String,
      tags: Seq[String],
      config: SessionConfig
  ): (TfGraph, TfSession, Array[Byte]) =
    withOptions(runtime, config) { options =>
      val graph = new TfGraph(tf.TF_NewGraph())
      val meta = tf.TF_NewBuffer()
      val tagPointers = new PointerPointer[BytePointer](tags: _*)
      try {
        val session = Status.check(
          tf.TF_LoadSessionFromSavedModel(
            options,
            null: TF_Buffer,
            new BytePointer(directory),
            tagPointers,
            tags.size,
            graph.handle,
            meta,
            _
          )
        )
        val opened = new TfSession(session)
        try {
          val bytes = new Array[Byte](Math.toIntExact(meta.length()))
          new BytePointer(meta.data()).get(bytes)
          (graph, opened, bytes)
        } catch { case e: Throwable => opened.close(); throw e }
      } catch { case e: Throwable => graph.close(); throw e }
      finally { tagPointers.close(); tf.TF_DeleteBuffer(meta) }
    }

  private def withOptions[T](runtime: NativeRuntime, config: SessionConfig)(body: TF_SessionOptions => T): T = {
    runtime.load()
    val bytes = config.proto(runtime.threads).toByteArray
    val pointer = new BytePointer(bytes: _*)
    val options = tf.TF_NewSessionOptions()
    try {
      Status.check(tf.TF_SetConfig(options, pointer, bytes.length.toLong, _))
      body(options)
    } finally { pointer.close(); tf.TF_DeleteSessionOptions(options) }
  }
}

/** A run with fixed feeds and fetches.
  *
  * @param fixed
  *   the values of the last feeds, the same in every run
  */
final class TfRun private[runtime] (
    session: TF_Session,
    feeds: Seq[TfOutput],
    fetches: Seq[TfOutput],
    fixed: Seq[TfTensor]
) {
  private val feedArray = TfRun.array(feeds)
  private val fetchArray = TfRun.array(fetches)

  /** Feeds `inputs` (in the order of the feeds that are not fixed) and returns one tensor per fetch, which the caller
    * closes. The inputs stay the caller's; they may be refilled once the outputs are read.
    */
  def apply(inputs: Array[TfTensor]): Array[TfTensor] = {
    val fed = inputs ++ fixed
    val in = new PointerPointer[Pointer](math.max(1, fed.length).toLong)
    val out = new PointerPointer[Pointer](math.max(1, fetches.size).toLong)
    try {
      fed.indices.foreach(i => in.put(i.toLong, fed(i).handle))
      Status.check { status =>
        tf.TF_SessionRun(
          session,
          null: TF_Buffer,
          feedArray,
          in,
          fed.length,
          fetchArray,
          out,
          fetches.size,
          null: PointerPointer[TF_Operation],
          0,
          null: TF_Buffer,
          status
        )
      }
      TfTensor.adopt(fetches.indices.map(i => new TF_Tensor(out.get(i.toLong))))
    } finally { in.close(); out.close() }
  }
}

private object TfRun {

  /** A native array of TF_Output. It lives as long as the run; JavaCPP frees it when that is garbage. */
  def array(outputs: Seq[TfOutput]): TF_Output = {
    val array = new TF_Output(math.max(1, outputs.size).toLong)
    outputs.zipWithIndex.foreach { case (o, i) => array.position(i.toLong).oper(o.operation).index(o.index) }
    array.position(0)
  }
}
