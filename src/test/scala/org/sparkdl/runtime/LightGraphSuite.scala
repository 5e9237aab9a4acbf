package org.sparkdl.runtime

import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN
import java.nio.file.{Files, Path}

import scala.util.{Random, Using}

import com.google.protobuf.ByteString
import org.scalatest.funsuite.AnyFunSuite
import org.tensorflow.proto.{AttrValue, DataType, GraphDef, TensorProto}

import org.apache.spark.unsafe.Platform
import org.sparkdl.testing.TestRuntime.runtime

class LightGraphSuite extends AnyFunSuite {
  private val (rows, columns) = (256, 1500) // 1.5 MB
  private val random = new Random(3)
  private val weights = Array.fill(rows * columns)(random.nextFloat() - 0.5f)
  private val bias = Array.fill(columns)(random.nextFloat())

  private def floats(values: Array[Float], dims: Seq[Long]): TensorProto = {
    val bytes = ByteBuffer.allocate(values.length * 4).order(LITTLE_ENDIAN)
    values.foreach(bytes.putFloat)
    TensorProto
      .newBuilder()
      .setDtype(DataType.DT_FLOAT)
      .setTensorShape(GraphDefs.shape(Some(dims)))
      .setTensorContent(ByteString.copyFrom(bytes.array))
      .build()
  }

  private def const(graph: GraphDefs, name: String, values: Array[Float], dims: Long*): GraphDefs =
    graph.node("Const", name, Nil, Map("dtype" -> DType.Float32, "value" -> floats(values, dims)))

  private val dense: Array[Byte] = {
    val graph = new GraphDefs().placeholder("x", DType.Float32, Seq(-1L, rows.toLong))
    const(graph, "kernel", weights, rows.toLong, columns.toLong)
    const(graph, "bias", bias, columns.toLong)
    graph
      .node("MatMul", "product", Seq("x", "kernel"), Map("T" -> DType.Float32))
      .node("BiasAdd", "y", Seq("product", "bias"), Map("T" -> DType.Float32))
      .toBytes
  }

  private def inFile[T](graph: Array[Byte])(body: Path => T): T = {
    val file = Files.createTempFile("graph", ".pb")
    try body(Files.write(file, graph))
    finally Files.delete(file)
  }

  private def bytesAt(file: Path, weight: StoredWeight): Array[Byte] =
    Files.readAllBytes(file).slice(weight.offset.toInt, (weight.offset + weight.bytes).toInt)

  test("a placeholder of its type and shape stands for a large constant, and the rest stays as it is") {
    inFile(dense) { file =>
      val light = LightGraph.read(file)
      val Seq(kernel) = light.weights
      assert((kernel.name, kernel.dtype, kernel.shape) == (("kernel", DType.Float32, Seq(256L, 1500L))))
      assert(bytesAt(file, kernel).sameElements(floats(weights, Nil).getTensorContent.toByteArray))
      val (before, after) = (GraphDef.parseFrom(dense), GraphDef.parseFrom(light.graphDef))
      assert(light.graphDef.length < dense.length - kernel.bytes)
      assert(after.getVersions == before.getVersions && after.getNodeCount == before.getNodeCount)
      for (i <- 0 until before.getNodeCount if before.getNode(i).getName != "kernel")
        assert(after.getNode(i) == before.getNode(i))
      val standing = after.getNode(1)
      assert(standing.getOp == "Placeholder" && standing.getAttrOrThrow("dtype").getType == DataType.DT_FLOAT)
      assert(standing.getAttrOrThrow("shape").getShape == GraphDefs.shape(Some(Seq(256L, 1500L))))
    }
  }

  test("every type that has a size can stand outside; texts, repeated values and constants that wait stay inside") {
    val bytes = ByteString.copyFrom(Array.fill(64)(7.toByte))
    def value(dtype: DType) = GraphDefs.tensor(dtype, Seq(64L / dtype.size), Nil).toBuilder.setTensorContent(bytes)
    val sized = DType.all.filter(_ != DType.Str)
    val graph = new GraphDefs().node("NoOp", "first", Nil)
    sized.foreach(t => graph.node("Const", t.name, Nil, Map("dtype" -> t, "value" -> value(t).build())))
    val waits = Map("dtype" -> DType.Int8, "value" -> value(DType.Int8).build())
    graph.node("Const", "waits", Seq("^first"), waits)
    graph.tensor("repeated", DType.Float32, Seq(1000L), Seq(2.5))
    graph.tensor("texts", DType.Str, Seq(3L), Seq("a" * 100, "b", "c"))
    inFile(graph.toBytes) { file =>
      val light = LightGraph.read(file, largeBytes = 1)
      assert(light.weights.map(w => w.name -> w.dtype) == sized.map(t => t.name -> t))
      light.weights.foreach(w => assert(bytesAt(file, w).sameElements(bytes.toByteArray), w.name))
      TfGraph.fromBytes(runtime, light.graphDef).close()
    }
  }

  test("content that does not fill the shape stays inside, where TensorFlow refuses it") {
    val short = floats(weights.take(10), Seq(11L))
    val graph = new GraphDefs().node("Const", "c", Nil, Map("dtype" -> DType.Float32, "value" -> short)).toBytes
    inFile(graph)(file => assert(LightGraph.read(file, largeBytes = 1).weights.isEmpty))
  }

  test("attributes in any order, and fields that another version knows, are read") {
    val node = GraphDef.parseFrom(dense).getNode(1)
    val more = AttrValue.newBuilder().setS(ByteString.copyFromUtf8("value")).build()
    val graph = GraphDef.newBuilder().addNode(node.toBuilder.putAttr("a", more).putAttr("z", more)).build()
    val unknown = Array[Byte](0x08 + 0x60, 5, 0x65 + 0x08, 1, 2, 3, 4, 0x69 + 0x08, 1, 2, 3, 4, 5, 6, 7, 8)
    inFile(graph.toByteArray ++ unknown) { file =>
      val light = LightGraph.read(file)
      assert(light.weights.map(_.name) == Seq("kernel"))
      assert(light.graphDef.takeRight(unknown.length).sameElements(unknown))
    }
  }

  test("a session gives the same with its large constants outside as inside, from many threads") {
    val x = Array.fill(3 * rows)(random.nextFloat())
    def run(graph: TfGraph): Seq[Array[Float]] =
      Using.resource(TfSession.open(runtime, graph, SessionConfig(optimizer = GraphOptimizer.Fusions))) { session =>
        val prepared = session.prepare(graph.output("x").toSeq, graph.output("y").toSeq)
        val threads = (0 until 4).map(_ => new Runs(prepared, x))
        threads.foreach(_.start())
        threads.foreach(_.join())
        threads.map(_.result)
      }
    val inside = Using.resource(TfGraph.fromBytes(runtime, dense))(run)
    val outside = inFile(dense)(file => Using.resource(TfGraph.fromFile(runtime, file))(run))
    (inside ++ outside).foreach(y => y.indices.foreach(i => assert(math.abs(y(i) - inside.head(i)) < 1e-4)))
    val expected = bias(7) + (0 until rows).map(i => x(i) * weights(i * columns + 7)).sum
    assert(math.abs(outside.head(7) - expected) < 1e-3)
  }

  test("a large constant can be fed another value, as a small one can") {
    inFile(dense) { file =>
      Using.Manager { use =>
        val graph = use(TfGraph.fromFile(runtime, file))
        val session = use(TfSession.open(runtime, graph, SessionConfig()))
        val x = use(TfTensor.allocate(runtime, DType.Float32, Array(1L, rows.toLong)))
        val kernel = use(TfTensor.allocate(runtime, DType.Float32, Array(rows.toLong, columns.toLong)))
        Platform.setMemory(x.address, 0, rows * 4L)
        Platform.setMemory(kernel.address, 0, rows * columns * 4L)
        val y =
          session.prepare(Seq("x", "kernel").flatMap(graph.output(_)), graph.output("y").toSeq)(Array(x, kernel))
        y.foreach(use(_))
        assert(Platform.getFloat(null, y.head.address + 7 * 4) == bias(7))
      }.get
    }
  }

  test("to those who look at the graph a large constant is a constant") {
    inFile(dense) { file =>
      Using.resource(TfGraph.outline(runtime, file)) { graph =>
        assert(graph.operations.toMap.apply("kernel") == "Const")
        assert(graph.operations.collect { case (name, "Placeholder") => name } == Seq("x"))
      }
    }
  }

  test("weights in a file beside the graph are read or mapped; equal ones once") {
    val file = Files.createTempDirectory("beside").resolve("graph.pb")
    val large = Map[String, Any](
      "dtype" -> DType.Float32,
      "shape" -> Seq(rows.toLong, columns.toLong),
      LightGraph.OffsetAttribute -> 128L
    )
    val graph = new GraphDefs().placeholder("x", DType.Float32, Seq(-1L, rows.toLong))
    Seq("kernel", "again").foreach(graph.node("Placeholder", _, Nil, large))
    graph
      .node("AddV2", "sum", Seq("kernel", "again"), Map("T" -> DType.Float32))
      .node("MatMul", "y", Seq("x", "sum"), Map("T" -> DType.Float32))
    Files.write(file, graph.toBytes)
    val content = floats(weights, Nil).getTensorContent.toByteArray
    val beside = Files.write(file.resolveSibling(LightGraph.WeightsFile), Array.fill[Byte](128)(9) ++ content)
    def column(unchanging: Boolean) = Using.Manager { use =>
      val graph = use(TfGraph.fromFile(runtime, file, unchanging))
      assert(graph.filesBeside == Seq(beside))
      assert(graph.operations.collect { case (name, "Placeholder") => name } == Seq("x"))
      assert(graph.weights.map(_._2.address).distinct.size == 1)
      if (unchanging) Files.delete(beside) // what is mapped stays
      val session = use(TfSession.open(runtime, graph, SessionConfig()))
      val x = use(TfTensor.allocate(runtime, DType.Float32, Array(1L, rows.toLong)))
      (0 until rows).foreach(i => Platform.putFloat(null, x.address + 4L * i, i.toFloat))
      val y = use(session.prepare(graph.output("x").toSeq, graph.output("y").toSeq)(Array(x)).head)
      graph.weights.head._2.address % 64 -> Platform.getFloat(null, y.address + 4 * 7)
    }.get
    val expected = (0 until rows).map(i => 2.0 * i * weights(i * columns + 7)).sum
    val results = Seq(false, true).map(column)
    results.foreach { case (_, y) => assert(math.abs(y - expected) < 1e-2) }
    assert(results.last._1 == 0)
    Files.write(beside, content.take(100))
    assert(intercept[TfException](column(unchanging = true)).getMessage.contains("ends before byte 1536128"))
    Files.delete(beside)
    assert(
      intercept[TfException](column(unchanging = false)).getMessage.contains("weights.bin', which does not exist")
    )
  }

  test("a weight that says it begins before its file, or has more elements than can be counted, is refused") {
    val whole = Seq(rows.toLong, columns.toLong)
    Seq(whole -> -64L, Seq(-2L, -5L) -> 0L, Seq(1L << 33, 1L << 31) -> 0L).foreach { case (shape, offset) =>
      val attributes = Map("dtype" -> DType.Float32, "shape" -> shape, LightGraph.OffsetAttribute -> offset)
      val graph = new GraphDefs().node("Placeholder", "kernel", Nil, attributes)
      inFile(graph.toBytes) { file =>
        val e = intercept[TfException](TfGraph.fromFile(runtime, file))
        assert(e.getMessage.contains("Invalid GraphDef: 'kernel'"), e.getMessage)
      }
    }
  }

  test("half a file, and what is none, are errors that say so") {
    inFile(dense.take(dense.length / 2)) { file =>
      val e = intercept[TfException](TfGraph.fromFile(runtime, file))
      assert(e.getMessage.contains("Invalid GraphDef"), e.getMessage)
    }
    for (bytes <- Seq(Array.fill(40)(-1.toByte), Array[Byte](0x0a, 100, 1), Array[Byte](0x0f)))
      inFile(bytes)(file => intercept[TfException](TfGraph.fromFile(runtime, file)))
  }

  private class Runs(run: TfRun, x: Array[Float]) extends Thread {
    var result: Array[Float] = Array.empty

    override def run(): Unit = for (_ <- 0 until 5) {
      val tensor = TfTensor.allocate(runtime, DType.Float32, Array(3L, rows.toLong))
      Platform.copyMemory(x, Platform.FLOAT_ARRAY_OFFSET, null, tensor.address, x.length * 4L)
      val Array(y) = LightGraphSuite.this.applied(run, tensor)
      result = new Array[Float](y.elements.toInt)
      Platform.copyMemory(null, y.address, result, Platform.FLOAT_ARRAY_OFFSET, result.length * 4L)
      y.close()
      tensor.close()
    }
  }

  private def applied(run: TfRun, tensor: TfTensor): Array[TfTensor] = run(Array(tensor))
}
