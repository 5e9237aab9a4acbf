package org.sparkdl.runtime

import java.nio.file.Path

import org.bytedeco.javacpp.{BytePointer, Pointer, PointerPointer, SizeTPointer}
import org.tensorflow.internal.c_api.{TF_FunctionOptions, TF_Graph, TF_Operation, TF_Output, TF_Tensor}
import org.tensorflow.internal.c_api.global.{tensorflow => tf}

/** One output of an operation of a graph: what a run feeds and fetches.
  *
  * @param shape
  *   null when the rank is unknown; -1 for an unknown dimension
  */
final class TfOutput private[runtime] (
    private[runtime] val operation: TF_Operation,
    private[runtime] val index: Int,
    val name: String,
    val dtypeCode: Int,
    val shape: Array[Long]
) {

  /** The element type; None for types that sparkdl does not read or write. */
  def dtype: Option[DType] = DType.fromCode(dtypeCode)
}

/** A TensorFlow graph. Immutable once imported; safe to use from many threads. Close it after its sessions.
  *
  * @param outside
  *   its large constants, for which placeholders stand: see [[LightGraph]]
  * @param weights
  *   what its sessions feed these in every run; empty if the graph is only looked at
  */
final class TfGraph private[runtime] (
    private[runtime] val handle: TF_Graph,
    outside: Seq[StoredWeight] = Nil,
    private[runtime] val weights: Seq[(String, TfTensor)] = Nil
) extends AutoCloseable {

  /** The output `name` ("op" or "op:0"), or None when the graph does not have it. */
  def output(name: String): Option[TfOutput] = {
    val (op, index) = TensorName.split(name)
    val operation = tf.TF_GraphOperationByName(handle, op)
    if (operation == null || operation.isNull || index < 0 || index >= tf.TF_OperationNumOutputs(operation)) None
    else {
      val out = new TF_Output().oper(operation).index(index)
      try Some(new TfOutput(operation, index, s"$op:$index", tf.TF_OperationOutputType(out), shapeOf(out)))
      finally out.close()
    }
  }

  private val constants = outside.map(_.name).toSet

  /** The files beside the graph's own that it needs. */
  def filesBeside: Seq[Path] = outside.map(_.file).filter(_.endsWith(TfGraph.WeightsFile)).distinct

  /** Names and types of all operations, in the order of the graph. */
  def operations: Seq[(String, String)] = {
    val position = new SizeTPointer(1).put(0L)
    try
      Iterator
        .continually(tf.TF_GraphNextOperation(handle, position))
        .takeWhile(op => op != null && !op.isNull)
        .map(op => tf.TF_OperationName(op).getString -> tf.TF_OperationOpType(op).getString)
        .map { case (name, op) => name -> (if (constants(name)) "Const" else op) }
        .toVector
    finally position.close()
  }

  /** How many operations consume an output. */
  def consumers(output: TfOutput): Int = {
    val out = new TF_Output().oper(output.operation).index(output.index)
    try tf.TF_OperationOutputNumConsumers(out)
    finally out.close()
  }

  /** The value of an output that depends on no placeholder, as far as TensorFlow's shape inference can compute it
    * (shapes that are known count as constants); the caller closes it.
    */
  def constant(output: TfOutput): Option[TfTensor] = {
    val out = new TF_Output().oper(output.operation).index(output.index)
    val result = new PointerPointer[Pointer](1L)
    try {
      val evaluated = Status.check(tf.TF_TryEvaluateConstant(handle, out, result, _)) != 0
      if (evaluated) Some(TfTensor.adopt(new TF_Tensor(result.get(0L)))) else None
    } finally { out.close(); result.close() }
  }

  /** The whole graph as a function of `inputs`: a serialized FunctionDef. */
  def asFunction(name: String, inputs: Seq[TfOutput], outputs: Seq[TfOutput]): Array[Byte] = {
    val (in, out) = (TfRun.array(inputs), TfRun.array(outputs))
    val buffer = tf.TF_NewBuffer()
    try {
      val function = Status.check { status =>
        val none: BytePointer = null
        tf.TF_GraphToFunction(
          handle,
          name,
          0.toByte,
          -1, // all operations
          null: TF_Operation,
          inputs.size,
          in,
          outputs.size,
          out,
          none,
          null: TF_FunctionOptions,
          null: String,
          status
        )
      }
      try Status.check(tf.TF_FunctionToFunctionDef(function, buffer, _))
      finally tf.TF_DeleteFunction(function)
      val bytes = new Array[Byte](buffer.length().toInt)
      new BytePointer(buffer.data()).get(bytes)
      bytes
    } finally { in.close(); out.close(); tf.TF_DeleteBuffer(buffer) }
  }

  /** Adds the operations of a serialized GraphDef; only for the code that loads the graph, before it is shared. */
  private[sparkdl] def extend(graphDef: Array[Byte]): Unit = {
    val data = new BytePointer(graphDef: _*)
    try TfGraph.importInto(handle, data, graphDef.length.toLong)
    finally data.close()
  }

  private def shapeOf(out: TF_Output): Array[Long] = Status.check { status =>
    val rank = tf.TF_GraphGetTensorNumDims(handle, out, status)
    if (rank < 0) null
    else {
      val dims = new Array[Long](rank)
      if (rank > 0) tf.TF_GraphGetTensorShape(handle, out, dims, rank, status)
      dims
    }
  }

  private var open = true
  override def close(): Unit = if (open) {
    open = false
    tf.TF_DeleteGraph(handle)
    weights.foreach(_._2.close())
  }
}

object TfGraph {

  /** Reads a serialized GraphDef from a file. Its large constants are in native memory once, for all sessions of the
    * graph.
    *
    * @param unchanging
    *   whether nobody but this process writes the files as long as the graph is open: constants in a file beside the
    *   graph are then not read but mapped
    * @param gpu
    *   where sessions compute what names no device; they take the first GPU by themselves
    */
  def fromFile(
      runtime: NativeRuntime,
      path: Path,
      unchanging: Boolean = false,
      gpu: Option[Int] = None
  ): TfGraph = {
    val light = LightGraph.read(path)
    val outline = imported(runtime, light, gpu)
    try new TfGraph(outline.handle, light.weights, Weights.open(runtime, light.weights, unchanging))
    catch { case e: Throwable => outline.close(); throw e }
  }

  /** Reads a serialized GraphDef from a file to look at, without its large constants: it cannot be run. */
  def outline(runtime: NativeRuntime, path: Path): TfGraph = imported(runtime, LightGraph.read(path))

  /** Bytes from which on a weight is large: see [[LightGraph]]. */
  val LargeBytes: Long = LightGraph.LargeBytes

  /** The file beside a graph that has its large constants, if it has any there. */
  val WeightsFile: String = LightGraph.WeightsFile

  /** An attribute of the placeholders that stand for them. */
  val OffsetAttribute: String = LightGraph.OffsetAttribute

  private def imported(runtime: NativeRuntime, light: LightGraph, gpu: Option[Int] = None): TfGraph =
    new TfGraph(fromBytes(runtime, light.graphDef, gpu).handle, light.weights)

  /** Reads a serialized GraphDef from memory. */
  def fromBytes(runtime: NativeRuntime, graphDef: Array[Byte], gpu: Option[Int] = None): TfGraph = {
    runtime.load()
    val data = new BytePointer(graphDef: _*)
    try imported(data, graphDef.length.toLong, gpu)
    finally data.close()
  }

  private def imported(data: BytePointer, length: Long, gpu: Option[Int]): TfGraph = {
    val graph = new TfGraph(tf.TF_NewGraph())
    try { importInto(graph.handle, data, length, gpu); graph }
    catch { case e: Throwable => graph.close(); throw e }
  }

  private def importInto(graph: TF_Graph, data: BytePointer, length: Long, gpu: Option[Int] = None): Unit = {
    val options = tf.TF_NewImportGraphDefOptions()
    gpu.filter(_ > 0).foreach(n => tf.TF_ImportGraphDefOptionsSetDefaultDevice(options, s"/device:GPU:$n"))
    val buffer = tf.TF_NewBuffer()
    try {
      buffer.data(data).length(length)
      Status.check(tf.TF_GraphImportGraphDef(graph, buffer, options, _))
    } finally {
      tf.TF_DeleteBuffer(buffer)
      tf.TF_DeleteImportGraphDefOptions(options)
    }
  }
}
