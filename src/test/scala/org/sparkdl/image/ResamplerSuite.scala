package org.sparkdl.image

import scala.util.Random

import org.apache.spark.unsafe.Platform
import org.scalatest.funsuite.AnyFunSuite

import org.sparkdl.runtime.{DType, GraphDefs, SessionConfig, TfGraph, TfSession, TfTensor}
import org.sparkdl.testing.TestRuntime.runtime

class ResamplerSuite extends AnyFunSuite {
  import TestImages.compare

  private val sizes = Seq((37, 53), (224, 224), (375, 500), (1, 1), (64, 1), (3, 90), (448, 448))

  for (hint <- ScaleHint.all if hint != ScaleHint.Fast)
    test(s"${hint.name} equals TensorFlow's kernel within one level, and nearly always exactly") {
      for ((height, width) <- sizes; (outHeight, outWidth) <- Seq((224, 224), (17, 31), (60, 40))) {
        val pixels = new Array[Byte](height * width * 3)
        new Random(height * 1000 + width).nextBytes(pixels)
        val ours = resized(pixels, height, width, ImageTarget(outHeight, outWidth, "BGR", hint.name))
        val (largest, equal) = compare(ours, KernelReference.resize(hint, pixels, height, width, outHeight, outWidth))
        // Enlarging by simple fractions makes many exact ties, which float32 breaks either way.
        val expected = if (outHeight <= height && outWidth <= width) 0.99 else 0.9
        assert(largest <= 1 && equal > expected, s"${height}x$width to ${outHeight}x$outWidth: $largest, $equal")
      }
    }

  test("weights of every method sum to one and stay within the input") {
    for (hint <- ScaleHint.all; in <- Seq(1, 2, 3, 10, 333, 4000); out <- Seq(1, 2, 7, 224)) {
      val taps = hint.taps(in, out)
      for (i <- 0 until out) {
        assert((taps.offset(i) until taps.offset(i + 1)).map(taps.weight(_)).sum == Taps.One)
        assert(taps.first(i) >= 0 && taps.first(i) + taps.count(i) <= in)
      }
    }
  }

  test("rounds to nearest, ties to even") {
    val one = 1L << 32
    assert(
      Seq(0.5, 1.5, 2.5, 2.4999, 2.5001, 255).map(v => RowWriter.round((v * one).toLong)) == Seq(0, 2, 2, 2, 3, 255)
    )
  }

  test("a flat image stays flat") {
    for (hint <- ScaleHint.all; value <- Seq(0, 1, 127, 255)) {
      val pixels = Array.fill(31 * 47 * 3)(value.toByte)
      assert(resized(pixels, 31, 47, ImageTarget(20, 60, "RGB", hint.name)).forall(_ == value.toByte))
    }
  }

  private def resized(pixels: Array[Byte], height: Int, width: Int, target: ImageTarget): Array[Byte] =
    TestImages
      .intoSlot(target)(ImageStructs.structInto(height, width, 3, ImageModes.Cv8UC3, pixels, target, _))
      .fold(fail(_), identity)
}

/** TensorFlow's resize kernels, rounded as documented. */
private object KernelReference {

  private val graph = {
    val image = Seq("image", "size")
    val uint8 = Map[String, Any]("T" -> DType.UInt8)
    val defs = new GraphDefs()
    defs.placeholder("image", DType.UInt8).placeholder("size", DType.Int32)
    defs.placeholder("scale", DType.Float32).placeholder("shift", DType.Float32)
    defs.node("ResizeArea", "SCALE_AREA_AVERAGING", image, uint8)
    defs.node("ResizeBilinear", "SCALE_DEFAULT", image, uint8 + ("half_pixel_centers" -> true))
    defs.node("ResizeNearestNeighbor", "nearest", image, uint8 + ("half_pixel_centers" -> true))
    defs.node("Cast", "SCALE_REPLICATE", Seq("nearest"), Map("SrcT" -> DType.UInt8, "DstT" -> DType.Float32))
    val triangle = uint8 ++ Map("kernel_type" -> "triangle", "antialias" -> true)
    defs.node("ScaleAndTranslate", "SCALE_SMOOTH", image ++ Seq("scale", "shift"), triangle)
    TfGraph.fromBytes(runtime, defs.toBytes)
  }
  private val session = TfSession.open(runtime, graph, SessionConfig())

  def resize(hint: ScaleHint, pixels: Array[Byte], h: Int, w: Int, outH: Int, outW: Int): Array[Byte] = {
    val inputs = Array(
      tensor(DType.UInt8, Array(1, h, w, 3), pixels, Platform.BYTE_ARRAY_OFFSET, pixels.length),
      tensor(DType.Int32, Array(2), Array(outH, outW), Platform.INT_ARRAY_OFFSET, 8),
      tensor(DType.Float32, Array(2), Array(outH.toFloat / h, outW.toFloat / w), Platform.FLOAT_ARRAY_OFFSET, 8),
      tensor(DType.Float32, Array(2), Array(0f, 0f), Platform.FLOAT_ARRAY_OFFSET, 8)
    )
    val feeds = Seq("image", "size", "scale", "shift").flatMap(graph.output(_))
    val out = session.prepare(feeds, graph.output(hint.name).toSeq)(inputs)(0)
    val floats = new Array[Float](outH * outW * 3)
    Platform.copyMemory(null, out.address, floats, Platform.FLOAT_ARRAY_OFFSET, floats.length * 4L)
    (out +: inputs.toSeq).foreach(_.close())
    floats.map(v => math.rint(v.toDouble).max(0).min(255).toInt.toByte)
  }

  private def tensor(dtype: DType, shape: Array[Long], data: AnyRef, offset: Int, bytes: Int): TfTensor = {
    val tensor = TfTensor.allocate(runtime, dtype, shape)
    Platform.copyMemory(data, offset, null, tensor.address, bytes)
    tensor
  }
}
