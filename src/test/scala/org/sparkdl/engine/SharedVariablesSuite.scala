package org.sparkdl.engine

import java.nio.file.{Files, Path}

import org.tensorflow.proto.{GraphDef, MetaGraphDef, SavedModel, SignatureDef, TensorInfo}

import org.apache.spark.unsafe.Platform

import org.sparkdl.{Model, Settings}
import org.sparkdl.runtime.{DType, GraphDefs, TfGraph, TfTensor}
import org.sparkdl.testing.SparkSuite
import org.sparkdl.testing.TestRuntime.runtime

class SharedVariablesSuite extends SparkSuite {
  private val settings = EngineSettings(runtime, maxMemory = 1L << 30)
  private val rows = TfGraph.LargeBytes / 4 / 8

  test("the sessions of a SavedModel in both precisions have its large variables in the same memory") {
    Engine.closeUnused()
    val context = spark.sparkContext
    val model = Model.load(savedModel().toString)
    val shipped = ShippedModel.of(context, model.name, model.definition.graph)
    val leases = Settings.precisions.map(Engine.acquire(shipped, _, settings))
    val tables = leases.map(value(_, "read:0"))
    assert(tables.map(_.address).distinct.size == 1)
    assert(tables.map(_.address) != leases.map(value(_, "small/read:0")).map(_.address))
    leases.foreach(lease => assert(lookUp(lease, 5) == 3f))
    assert(leases.map(value(_, "read:0").address).distinct.size == 1, "a run has made a copy")
    tables.foreach(_.close())
    leases.head.close()
    Engine.closeUnused()
    assert(lookUp(leases.last, 7) == 3f)
    leases.last.close()
    Engine.closeUnused()
  }

  test("what both sessions have counts once against the limit") {
    Engine.closeUnused()
    val context = spark.sparkContext
    val model = Model.load(savedModel().toString)
    val graph = model.definition.graph
    val two = settings.copy(maxMemory = 2 * LoadedModel.SessionBytes + graph.bytes)
    val shipped = ShippedModel.of(context, model.name, graph)
    Settings.precisions.foreach(Engine.acquire(shipped, _, two).close())
    assert(Engine.loaded.size == 2)
    Engine.closeUnused()
  }

  private def value(lease: Engine.Lease, tensor: String): TfTensor =
    lease.model.run(Nil, Seq(tensor))(Array.empty).head

  /** An element of the row that the model looks up. */
  private def lookUp(lease: Engine.Lease, row: Long): Float = {
    val in = TfTensor.allocate(runtime, DType.Int64, Array(1L))
    Platform.putLong(null, in.address, row)
    val Array(out) = lease.model.run(Seq("x:0"), Seq("y:0"))(Array(in))
    try Platform.getFloat(null, out.address)
    finally { in.close(); out.close() }
  }

  /** y = the row x of a table, a large variable that is set by an operation when the model is loaded. */
  private def savedModel(): Path = {
    val graph = new GraphDefs().placeholder("x", DType.Int64, Seq(-1L))
    val float = Map("dtype" -> DType.Float32)
    for ((scope, size) <- Seq("" -> rows, "small/" -> 2L)) {
      graph.node(
        "VarHandleOp",
        s"${scope}table",
        Nil,
        float ++ Map("shape" -> Seq(size, 8L), "shared_name" -> s"${scope}t")
      )
      graph
        .tensor(s"${scope}size", DType.Int64, Seq(2L), Seq(size, 8L))
        .tensor(s"${scope}three", DType.Float32, Nil, Seq(3f))
      val types = Map("T" -> DType.Float32, "index_type" -> DType.Int64)
      graph.node("Fill", s"${scope}filled", Seq(s"${scope}size", s"${scope}three"), types)
      graph.node("AssignVariableOp", s"${scope}assign", Seq(s"${scope}table", s"${scope}filled"), float)
      graph.node("ReadVariableOp", s"${scope}read", Seq(s"${scope}table"), float)
    }
    graph.node("NoOp", "init", Seq("^assign", "^small/assign"))
    graph.node("ResourceGather", "y", Seq("table", "x"), float + ("Tindices" -> DType.Int64))
    val meta = MetaGraphDef.newBuilder().setGraphDef(GraphDef.parseFrom(graph.toBytes))
    meta.getMetaInfoDefBuilder.addTags("serve")
    val info = (name: String, dtype: DType, dims: Seq[Long]) =>
      TensorInfo
        .newBuilder()
        .setName(name)
        .setDtypeValue(dtype.code)
        .setTensorShape(GraphDefs.shape(Some(dims)))
        .build()
    val signature = SignatureDef
      .newBuilder()
      .setMethodName("tensorflow/serving/predict")
      .putInputs("x", info("x:0", DType.Int64, Seq(-1)))
      .putOutputs("y", info("y:0", DType.Float32, Seq(-1, 8)))
    val init =
      SignatureDef.newBuilder().putOutputs("__saved_model_init_op", TensorInfo.newBuilder().setName("init").build())
    meta.putSignatureDef("serving_default", signature.build()).putSignatureDef("__saved_model_init_op", init.build())
    val folder = Files.createTempDirectory("sparkdl-test-")
    val saved = SavedModel.newBuilder().setSavedModelSchemaVersion(1).addMetaGraphs(meta)
    Files.write(folder.resolve("saved_model.pb"), saved.build().toByteArray)
    folder
  }
}
