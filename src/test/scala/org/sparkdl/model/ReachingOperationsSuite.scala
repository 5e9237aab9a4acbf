package org.sparkdl.model

import java.nio.file.Path

import org.apache.spark.sql.functions.col
import org.tensorflow.proto._

import org.sparkdl.{Model, Settings}
import org.sparkdl.errors.InvalidModelException
import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.tensorframes.Program
import org.sparkdl.testing.{SparkSuite, TestModels}

class ReachingOperationsSuite extends SparkSuite {
  import spark.implicits._

  private def node(op: String, name: String, inputs: String*): NodeDef = {
    val node = NodeDef.newBuilder().setOp(op).setName(name)
    inputs.foreach(node.addInput)
    node.build()
  }

  private def call(name: String, function: String, inputs: String*): NodeDef =
    node("PartitionedCall", name, inputs: _*).toBuilder
      .putAttr("f", AttrValue.newBuilder().setFunc(NameAttrList.newBuilder().setName(function)).build())
      .build()

  private def text(op: String, attribute: String, value: String): NodeDef = {
    val attr = AttrValue.newBuilder().setS(com.google.protobuf.ByteString.copyFromUtf8(value)).build()
    node(op, "n").toBuilder.putAttr(attribute, attr).build()
  }

  private def function(name: String, argument: String, nodes: NodeDef*): FunctionDef = {
    val signature = OpDef.newBuilder().setName(name).addInputArg(OpDef.ArgDef.newBuilder().setName(argument))
    val function = FunctionDef.newBuilder().setSignature(signature)
    nodes.foreach(function.addNodeDef)
    function.build()
  }

  private def graph(functions: FunctionDef*)(nodes: NodeDef*): GraphDef = {
    val graph = GraphDef.newBuilder()
    nodes.foreach(graph.addNode)
    functions.foreach(graph.getLibraryBuilder.addFunction)
    graph.build()
  }

  private def asset(node: String, file: String): AssetFileDef =
    AssetFileDef.newBuilder().setFilename(file).setTensorInfo(TensorInfo.newBuilder().setName(s"$node:0")).build()

  /** A SavedModel whose vocabulary `file` is read by the node "vocabulary" gives. */
  private def withTable(file: String, source: String = "vocabulary"): MetaGraphDef = {
    val initializer = function("initialize", "file", node("InitializeTableFromTextFileV2", "t", "table", "file"))
    val nodes = Seq(node("Const", "vocabulary"), node("Const", "elsewhere"), call("start", "initialize", source))
    val inits = TensorInfo.newBuilder().setName("start:0")
    val signature = SignatureDef.newBuilder().putOutputs("__saved_model_init_op", inits.build())
    MetaGraphDef
      .newBuilder()
      .setGraphDef(graph(initializer)(nodes: _*))
      .addAssetFileDef(asset("vocabulary", file))
      .putSignatureDef("__saved_model_init_op", signature.build())
      .build()
  }

  test("operations on files, of Python and with hidden graphs are found in a graph and in its functions") {
    val found = ReachingOperations.of(
      graph(function("f", "a", node("WriteFile", "w")))(
        node("ReadFile", "r"),
        node("PyFunc", "p"),
        node("AddV2", "y")
      )
    )
    assert(found == Seq("ReadFile 'r'", "PyFunc 'p'", "WriteFile 'w' in function 'f'"))
  }

  test("operations that reach out by an attribute are found if it says so") {
    def found(op: String, attribute: String, value: String) =
      ReachingOperations.of(graph()(text(op, attribute, value))).nonEmpty
    assert(found("PrintV2", "output_stream", "file:///tmp/x") && !found("PrintV2", "output_stream", "stderr"))
    assert(found("FixedUnigramCandidateSampler", "vocab_file", "/etc/passwd"))
    assert(!found("FixedUnigramCandidateSampler", "vocab_file", ""))
    assert(found("DecodeProtoV2", "descriptor_source", "/etc/passwd"))
    assert(!found("DecodeProtoV2", "descriptor_source", "local://"))
  }

  test("of a SavedModel counts what its outputs, its start and the reading of its variables run") {
    val functions = Seq(function("f", "a", node("WriteFile", "w")), function("unused", "a", node("WriteFile", "u")))
    val nodes = Seq(node("Placeholder", "x"), call("y", "f", "x"), node("SaveV2", "save"), node("NoOp", "all", "^r"))
    val restore = Seq(node("RestoreV2", "r", "file"), node("PlaceholderWithDefault", "file"))
    val meta = MetaGraphDef
      .newBuilder()
      .setGraphDef(graph(functions: _*)(nodes ++ restore: _*))
      .setSaverDef(SaverDef.newBuilder().setRestoreOpName("all"))
      .build()
    assert(ReachingOperations.of(meta, Seq("y:0")) == Seq("WriteFile 'w' in function 'f'"))
    assert(ReachingOperations.of(meta, Seq("x:0")).isEmpty)
    assert(ReachingOperations.of(meta, Seq("r:0")) == Seq("RestoreV2 'r'"), "as an output")
  }

  test("the vocabularies of lookup tables may be assets of the SavedModel, and nothing else") {
    assert(ReachingOperations.of(withTable("words.txt"), Nil).isEmpty)
    val found = Seq("InitializeTableFromTextFileV2 't' in function 'initialize'")
    assert(ReachingOperations.of(withTable("../../../etc/passwd"), Nil) == found)
    assert(ReachingOperations.of(withTable("/etc/passwd"), Nil) == found)
    assert(ReachingOperations.of(withTable("words.txt", source = "elsewhere"), Nil) == found)
  }

  private def reading(): Path = TestModels.write(
    "reading",
    (g: GraphDefs) =>
      g.placeholder("x", DType.Str, Seq(-1L))
        .tensor("place", DType.Str, Nil, Seq("/proc/self/comm"))
        .node("ReadFile", "content", Seq("place"))
        .node("Add", "y", Seq("x", "content"), Map("T" -> DType.Str))
  )

  private def refusal(path: Path): String = intercept[InvalidModelException](Model.load(path.toString)).getMessage

  private def trusting[T](trusted: String)(body: => T): T = {
    spark.conf.set(Settings.modelsTrusted.key, trusted)
    try body
    finally spark.conf.unset(Settings.modelsTrusted.key)
  }

  test("a frozen graph and a program from a file that read files are refused, with what they do and the setting") {
    val path = reading()
    val why = refusal(path)
    assert(why.contains(s"The model at '$path' reaches out of its graph: ReadFile 'content'."), why)
    assert(why.contains("set spark.sparkdl.models.trusted to its path, a folder above it, or its hash"), why)
    intercept[InvalidModelException](Program.fromFile(path.toString, "y"))
  }

  test("the setting takes paths, folders and hashes, or all") {
    val path = reading()
    val model = trusting("all")(Model.load(path.toString))
    assert(Seq("a").toDF("x").select(model(col("x"))).as[String].head().startsWith("a"))
    Seq(path.toString, path.getParent.toUri.toString, s"/elsewhere, ${path.getParent}/", model.hash).foreach {
      entry =>
        assert(trusting(entry)(Model.load(path.toString)).hash == model.hash, entry)
    }
    Seq("/elsewhere", path.getParent.toString.dropRight(1), "").foreach(entry => trusting(entry)(refusal(path)))
  }
}
