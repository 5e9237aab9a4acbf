package org.sparkdl.model

import java.nio.ByteBuffer
import java.nio.ByteOrder.LITTLE_ENDIAN
import java.nio.file.{Files, Path}

import org.apache.spark.sql.functions.col

import org.sparkdl.Model
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.files.Sha256
import org.sparkdl.runtime.{DType, GraphDefs, TfGraph}
import org.sparkdl.testing.SparkSuite

/** Bundles whose graph has weights in a file beside it. */
class WeightsBesideSuite extends SparkSuite {
  import spark.implicits._

  /** y = sum(x * [1, 2, ..., 16] + shift), the 16 numbers beside the graph. */
  private def graph: Array[Byte] = new GraphDefs()
    .placeholder("x", DType.Float32, Seq(-1L))
    .placeholder("shift", DType.Float32, Nil)
    .node("Placeholder", "w", Nil, Map("dtype" -> DType.Float32, "shape" -> Seq(16L), TfGraph.OffsetAttribute -> 64L))
    .const("axis", DType.Int32, Seq(1))
    .node("ExpandDims", "rows", Seq("x", "axis"), Map("T" -> DType.Float32, "Tdim" -> DType.Int32))
    .node("Mul", "product", Seq("rows", "w"), Map("T" -> DType.Float32))
    .node("AddV2", "moved", Seq("product", "shift"), Map("T" -> DType.Float32))
    .node("Sum", "y", Seq("moved", "axis"), Map("T" -> DType.Float32, "Tidx" -> DType.Int32))
    .toBytes

  private lazy val bundle: Path = {
    val directory = Files.createTempDirectory("beside")
    val numbers = ByteBuffer.allocate(128).order(LITTLE_ENDIAN)
    (1 to 16).foreach(i => numbers.putFloat(60 + 4 * i, i.toFloat))
    Files.write(directory.resolve("graph.pb"), graph)
    Files.write(directory.resolve("weights.bin"), numbers.array)
    val sums = Seq("graph.pb", "weights.bin").map(f => s""""$f": "${Sha256.of(directory.resolve(f))}"""")
    val specs = Seq("inputs" -> "x", "outputs" -> "y").map { case (ends, name) =>
      s"""\"$ends\": [{"name": "$name", "tensor": "$name:0", "dtype": "float32", "shape": [-1]}]"""
    }
    val head = """"formatVersion": 2, "name": "beside", "graph": "graph.pb", "weights": "weights.bin""""
    Files.writeString(
      directory.resolve("model.json"),
      s"""{$head, "files": {${sums.mkString(", ")}}, ${specs.mkString(", ")}}"""
    )
    directory
  }

  private def loaded(path: Path): Model = Model.load(path.toString, ReadOptions(constants = Map("shift" -> 1)))

  private def results(model: Model): Seq[Float] =
    spark.range(3).coalesce(1).select(model(col("id").cast("float"))).as[Float].collect().toSeq

  private val expected = Seq(16f, 152f, 288f)

  test("a bundle runs with its weights, also with a constant, which makes another graph of it") {
    assert(results(loaded(bundle)) == expected)
    assert(loaded(bundle).definition.graph.weights.isDefined)
  }

  test("what it needs in memory counts the weights, and is told") {
    val files = Model.load(bundle.toString).definition.graph
    assert(files.all.map(_._1) == Seq("graph.pb", "weights.bin") && files.bytes == graph.length + 128)
    assert(loaded(bundle).describe().contains("memory: 1 kB of weights; an executor needs "))
  }

  test("it is saved with its weights, in the format that says so") {
    val saved = Files.createTempDirectory("saved").resolve("m")
    loaded(bundle).save(saved.toString)
    assert(Files.readString(saved.resolve("model.json")).contains("\"formatVersion\" : 2"))
    assert(results(Model.load(saved.toString)) == expected)
  }

  test("its graph alone is a frozen graph that has its weights beside it") {
    val options = ReadOptions(inputs = Seq("x"), outputs = Seq("y"), constants = Map("shift" -> 1))
    assert(results(Model.load(bundle.resolve("graph.pb").toString, options)) == expected)
  }

  test("weights that are missing, or that the manifest does not vouch for, are refused") {
    def changed(change: Path => Any): String = {
      val copy = Files.createTempDirectory("changed")
      org.sparkdl.files.LocalFiles.copyTree(bundle, copy)
      change(copy)
      intercept[InvalidModelException](Model.load(copy.toString)).getMessage
    }
    def manifest(old: String, now: String)(copy: Path): Path = {
      val file = copy.resolve("model.json")
      Files.writeString(file, Files.readString(file).replace(old, now))
    }
    assert(changed(c => Files.delete(c.resolve("weights.bin"))).contains("its file 'weights.bin' is missing"))
    assert(changed(c => Files.write(c.resolve("weights.bin"), Array[Byte](1))).contains("'weights.bin' was changed"))
    assert(changed(manifest("\"weights\": \"weights.bin\"", "\"weights\": \"w\"")).contains("expected 'weights.bin'"))
    assert(changed(manifest("\"formatVersion\": 2", "\"formatVersion\": 3")).contains("reads 1 and 2"))
  }
}
