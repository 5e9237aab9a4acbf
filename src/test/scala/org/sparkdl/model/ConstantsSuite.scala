package org.sparkdl.model

import java.nio.file.{Files, Path}
import java.util.{Collections => JCollections, Map => JMap}

import org.apache.spark.sql.functions.{array, col, lit}
import org.tensorflow.proto.{MetaGraphDef, SavedModel, SignatureDef, TensorInfo}

import org.sparkdl.{Model, ModelUDF}
import org.sparkdl.errors.{SchemaMismatchException, SettingsException, SparkDLException}
import org.sparkdl.files.LocalFiles
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.testing.{SparkSuite, TestModels}

/** Placeholders that no column feeds: the errors, and constants for them. */
class ConstantsSuite extends SparkSuite {
  import spark.implicits._

  private lazy val numbers = spark.range(3).select(col("id").cast("float") as "x").coalesce(1)

  /** y = where(train, -x, x * keep + shift); z = x + x; w = x * scale, which has a default. */
  private def graph(g: GraphDefs): GraphDefs = g
    .placeholder("x", DType.Float32, Seq(-1L))
    .placeholder("train", DType.Bool, Nil)
    .placeholder("keep", DType.Float32, Nil)
    .placeholder("shift", DType.Float32, Seq(1L))
    .const("two", DType.Float32, Seq(2), vector = false)
    .node("PlaceholderWithDefault", "scale", Seq("two"), Map("dtype" -> DType.Float32, "shape" -> Seq.empty[Long]))
    .node("Mul", "kept", Seq("x", "keep"), Map("T" -> DType.Float32))
    .node("AddV2", "moved", Seq("kept", "shift"), Map("T" -> DType.Float32))
    .node("Neg", "minus", Seq("x"), Map("T" -> DType.Float32))
    .node("SelectV2", "y", Seq("train", "minus", "moved"), Map("T" -> DType.Float32))
    .node("AddV2", "z", Seq("x", "x"), Map("T" -> DType.Float32))
    .node("Mul", "w", Seq("x", "scale"), Map("T" -> DType.Float32))

  private lazy val file: String = TestModels.write("old", graph).toString
  private val given_ = Map[String, Any]("train" -> false, "keep:0" -> 3, "shift" -> Seq(0.5))

  private def read(constants: Map[String, Any], outputs: String*): Model =
    Model.load(file, ReadOptions(inputs = Seq("x"), outputs = outputs, constants = constants))

  private def values(model: Model): Seq[Float] = numbers.select(model(col("x"))).as[Float].collect().toSeq

  private def refused(constants: Map[String, Any]): String =
    intercept[SparkDLException](read(constants, "y")).getMessage

  test("an unfed placeholder is an error on the driver: its name, type, the outputs that need it and the remedy") {
    val text = intercept[SchemaMismatchException](read(Map.empty, "z", "y").apply(col("x"))).getMessage
    assert(text.contains("Model 'old' has placeholders that no column feeds: output 'y' needs 'train' (bool [])"))
    assert(text.contains("output 'y' needs 'keep' (float32 [])") && text.contains("'shift' (float32 [1])"))
    assert(text.contains("constants={\"train\": False, \"keep\": 1.0, \"shift\": [1.0, ...]}"))
    val e = intercept[SchemaMismatchException](read(Map("train" -> true, "keep" -> 1.0), "y").register(spark, "no"))
    assert(e.getMessage.contains("'shift'") && !e.getMessage.contains("'train'"))
  }

  test("what the chosen outputs do not need, and what has a default, needs no value") {
    assert(values(read(Map.empty, "z")) == Seq(0f, 2f, 4f))
    assert(values(read(Map.empty, "z", "y").select("z")) == Seq(0f, 2f, 4f))
    assert(values(read(Map.empty, "w")) == Seq(0f, 2f, 4f))
  }

  test("constants take the place of placeholders, and of defaults; the model is another one for the engine") {
    assert(values(read(given_, "y")) == Seq(0.5f, 3.5f, 6.5f))
    assert(values(read(given_ + ("train" -> true), "y")) == Seq(0f, -1f, -2f))
    assert(values(read(Map("scale" -> 5.0f), "w")) == Seq(0f, 5f, 10f))
    assert(read(given_, "y").hash != read(given_ + ("train" -> true), "y").hash)
    assert(read(given_, "y").hash == read(given_, "y").hash)
    val java = ReadOptions(inputs = Seq("x"), outputs = Seq("y"))
      .withConstants(JMap.of("train", false, "keep", 3, "shift", JCollections.singletonList(0.5)))
    assert(values(Model.load(file, java)) == Seq(0.5f, 3.5f, 6.5f))
    assert(Model.load(file, ReadOptions(constants = given_, outputs = Seq("y"))).inputs.map(_.name) == Seq("x"))
  }

  test("SQL functions take a model with constants") {
    ModelUDF.register(spark, "kept", file, ReadOptions(inputs = Seq("x"), outputs = Seq("y"), constants = given_))
    numbers.createOrReplaceTempView("numbers")
    assert(spark.sql("SELECT kept(x) FROM numbers").as[Float].collect().toSeq == Seq(0.5f, 3.5f, 6.5f))
  }

  test("constants that do not fit say what was expected and what came") {
    assert(
      refused(Map("train" -> 1))
        .contains("'train' of model 'old' a constant: expected bool [], but 1 is a whole number")
    )
    assert(refused(Map("keep" -> "all")).contains("expected float32 [], but 'all' is a text"))
    assert(refused(Map("keep" -> Seq(1.0, 2.0))).contains("expected float32 [], but it has the shape [2]"))
    assert(refused(Map("keep" -> 1e39)).contains("is out of its range"))
    assert(refused(Map("keep" -> Seq(Seq(1), Seq(1, 2)))).contains("its parts have different lengths: [1], [2]"))
    assert(refused(Map("keep" -> new Object)).contains("Expected a boolean, a number or a text"))
    val unknown = refused(Map("kep" -> 1.0))
    assert(unknown.contains("there is no such placeholder; the placeholders are: x: float32 [?]; train: bool []"))
    assert(unknown.contains("scale: float32 []"))
    assert(refused(Map("two" -> 1.0)).contains("it is not a placeholder but an operation of type Const"))
    assert(refused(Map("x" -> Seq(1.0))).contains("Input 'x' of model 'old' is fed by a column and has a constant"))
  }

  test("every type that a placeholder can have") {
    val cases = Seq[(DType, Any, Any)](
      (DType.Float64, 0.1, 0.1),
      (DType.Float16, 1.5, 1.5f),
      (DType.BFloat16, 2, 2f),
      (DType.Int8, -128, -128.toByte),
      (DType.UInt8, 255, 255.toShort),
      (DType.Int16, 300, 300.toShort),
      (DType.UInt16, 65535, 65535),
      (DType.Int64, 1L << 60, 1L << 60),
      (DType.UInt32, 4294967295L, 4294967295L),
      (DType.Str, "a\u00e4", "a\u00e4"),
      (DType.Bool, true, true),
      (DType.Float32, "NaN", Float.NaN)
    )
    cases.foreach { case (dtype, value, expected) =>
      val model = TestModels.write(
        "typed",
        _.placeholder("x", DType.Float32, Seq(-1L))
          .placeholder("c", dtype, Nil)
          .node("Shape", "size", Seq("x"), Map("T" -> DType.Float32))
          .node("BroadcastTo", "y", Seq("c", "size"), Map("T" -> dtype))
      )
      val read = Model.load(model.toString, ReadOptions(outputs = Seq("y"), constants = Map("c" -> value)))
      val got = numbers.limit(1).select(read(col("x"))).head().get(0)
      assert(got == expected || got.toString == expected.toString, dtype)
    }
    val tooMuch = Map(DType.Int8 -> 128, DType.UInt8 -> -1, DType.UInt16 -> 65536, DType.Float16 -> 70000)
    tooMuch.foreach { case (dtype, value) =>
      assert(ConstantValue.of("c", value).problem(dtype, Some(Nil)).exists(_.contains("out of its range")), dtype)
    }
  }

  test("bundles have inputs that may be constants, and are saved with them") {
    val bundle = Files.createTempDirectory("bundle").resolve("m")
    Model.load(file, ReadOptions(outputs = Seq("y"))).save(bundle.toString)
    val loaded = Model.load(bundle.toString, ReadOptions(constants = given_))
    assert(loaded.inputs.map(_.name) == Seq("x") && values(loaded) == Seq(0.5f, 3.5f, 6.5f))
    val again = Files.createTempDirectory("bundle").resolve("m")
    loaded.save(again.toString)
    assert(values(Model.load(again.toString)) == Seq(0.5f, 3.5f, 6.5f))
    val e = intercept[SchemaMismatchException](numbers.select(Model.load(bundle.toString).apply(col("x"))))
    assert(
      e.getMessage.contains("has 4 input(s)") && e.getMessage.contains("a value when the model is loaded (constants)")
    )
    val all = Model.load(bundle.toString).apply(col("x"), lit(true), lit(1f), array(lit(1f)))
    val scalar = intercept[SchemaMismatchException](numbers.select(all))
    assert(scalar.getMessage.contains("or, in a model, a value (constants)"))
  }

  /** A SavedModel of TensorFlow 1 without variables. */
  private def saved(inputs: String*): Path = {
    val nodes = org.tensorflow.proto.GraphDef.parseFrom(graph(new GraphDefs).toBytes)
    def info(tensor: String) = TensorInfo.newBuilder().setName(s"$tensor:0").setDtypeValue(DType.Float32.code)
    val signature =
      SignatureDef.newBuilder().putOutputs("out", info("y").setTensorShape(GraphDefs.shape(Some(Seq(-1L)))).build())
    inputs.foreach { i =>
      val dtype = if (i == "train") DType.Bool else DType.Float32
      val shape = if (i == "x") Seq(-1L) else Nil
      signature.putInputs(
        s"in_$i",
        info(i).setDtypeValue(dtype.code).setTensorShape(GraphDefs.shape(Some(shape))).build()
      )
    }
    val meta = MetaGraphDef
      .newBuilder()
      .setMetaInfoDef(MetaGraphDef.MetaInfoDef.newBuilder().addTags("serve"))
      .setGraphDef(nodes)
      .putSignatureDef("serving_default", signature.build())
    val directory = Files.createTempDirectory("saved").resolve("m")
    Files.createDirectories(directory.resolve("assets"))
    Files.writeString(directory.resolve("assets").resolve("words.txt"), "words")
    Files.write(directory.resolve("saved_model.pb"), SavedModel.newBuilder().addMetaGraphs(meta).build().toByteArray)
    directory
  }

  test("SavedModels: placeholders that are in no signature, and inputs of it by their names") {
    val hidden = saved("x").toString
    val text = intercept[SchemaMismatchException](Model.load(hidden).apply(col("x"))).getMessage
    assert(text.contains("output 'out' needs 'train' (bool [])"))
    val model = Model.load(hidden, ReadOptions(constants = given_))
    assert(values(model) == Seq(0.5f, 3.5f, 6.5f))
    val named = Map[String, Any]("in_train" -> true, "keep" -> 1, "shift" -> Seq(1))
    val signed = Model.load(saved("x", "train").toString, ReadOptions(constants = named))
    assert(signed.inputs.map(_.name) == Seq("in_x") && values(signed) == Seq(0f, -1f, -2f))
    val copy = Files.createTempDirectory("bundle").resolve("m")
    model.save(copy.toString)
    assert(!LocalFiles.list(copy).exists(Files.isSymbolicLink(_)), "a bundle has files of its own")
    assert(values(Model.load(copy.toString)) == Seq(0.5f, 3.5f, 6.5f))
    val e = intercept[SettingsException](Model.load(hidden, ReadOptions(constants = Map("in_train" -> true))))
    assert(e.getMessage.contains("the placeholders are: in_x: float32 [?]; train: bool []"))
  }
}
