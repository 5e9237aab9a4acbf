package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.scalatest.funsuite.AnyFunSuite
import org.tensorflow.proto.{AttrValue, FunctionDef, GraphDef, NameAttrList, NodeDef, OpDef}

import org.sparkdl.runtime.{DType, GraphDefs}

class FalseFusionsSuite extends AnyFunSuite {
  private val float = Map("T" -> DType.Float32)

  /** Normalized values, "normalized", as layers compute them: of "x". */
  private def normalization(output: String): Seq[NodeDef] = Seq(
    GraphDefs.node("FusedBatchNormV3", "fused", Seq("x", "ones", "zeros", "mean", "variance"), float),
    GraphDefs.node("Reshape", "normalized", Seq(s"fused$output", "shape"), float)
  )

  private def vector(name: String, size: Int): NodeDef = {
    val tensor = GraphDefs.tensor(DType.Float32, Seq(size.toLong), Seq.fill(size)(1.0))
    GraphDefs.node("Const", name, Nil, Map("dtype" -> DType.Float32, "value" -> tensor))
  }

  private def variable(name: String, shape: Long*): Seq[NodeDef] = Seq(
    GraphDefs.node("VarHandleOp", name, Nil, Map("dtype" -> DType.Float32, "shape" -> shape)),
    GraphDefs.node("ReadVariableOp", s"$name/read", Seq(name), Map("dtype" -> DType.Float32))
  )

  private def graph(nodes: Seq[NodeDef]): GraphDef = GraphDef.newBuilder().addAllNode(nodes.asJava).build()

  private def sum(scale: String, offset: String): Seq[NodeDef] = Seq(
    GraphDefs.node("Mul", "scaled", Seq("normalized", scale), float),
    GraphDefs.node("AddV2", "sum", Seq(offset, "scaled"), float)
  )

  private def operation(graph: GraphDef, name: String): String =
    graph.getNodeList.asScala.find(_.getName == name).get.getOp

  test("a sum with a scale and an offset that are vectors is left for TensorFlow to fuse") {
    val constants = graph(normalization("") ++ Seq(vector("scale", 3), vector("offset", 3)) ++ sum("scale", "offset"))
    assert(FalseFusions.without(constants) eq constants)
    val variables = graph(normalization("") ++ variable("a", 3) ++ variable("b", 3) ++ sum("a/read", "b/read"))
    assert(FalseFusions.without(variables) eq variables)
  }

  test("a sum with anything else is not fused") {
    val offsets =
      Seq(Seq(vector("b/read", 1)), variable("b", 4, 3), Seq(GraphDefs.node("Relu", "b/read", Seq("x"), float)))
    for (offset <- offsets) {
      val whole = graph(normalization("") ++ variable("a", 3) ++ offset ++ sum("a/read", "b/read"))
      assert(operation(FalseFusions.without(whole), "sum") == "Add", offset)
    }
  }

  test("each sum of a graph is looked at") {
    val second = GraphDefs.node("AddV2", "again", Seq("scaled", "x"), float)
    val kept = FalseFusions.without(graph((normalization("") :+ vector("scale", 3)) ++ sum("scale", "x") :+ second))
    assert(Seq("sum", "again").map(operation(kept, _)) == Seq("Add", "Add"))
  }

  test("a sum of what is not normalized is left alone") {
    val other =
      graph(Seq(GraphDefs.node("Mul", "scaled", Seq("x", "x"), float)) ++ normalization("") ++ sum("x", "x").tail)
    assert(FalseFusions.without(other) eq other)
  }

  test("a sum in a function is not fused with what another function has normalized") {
    val body = normalization(":y:0") :+
      GraphDefs.node("Mul", "scaled", Seq("normalized:output:0", "scale"), float) :+
      GraphDefs.node("Identity", "Identity", Seq("scaled:z:0"), float)
    val normalizes = function("normalize", Seq("x", "scale"), "Identity:output:0", body)
    val adds =
      function("add", Seq("to", "other"), "sum:z:0", Seq(GraphDefs.node("AddV2", "sum", Seq("to", "other"), float)))
    val main = variable("a", 3) ++ Seq(call("first", "normalize", "x", "a"), call("second", "add", "first", "x"))
    val whole = graph(main).toBuilder
    whole.getLibraryBuilder.addFunction(normalizes).addFunction(adds)
    val kept = FalseFusions.without(whole.build())
    assert(kept.getLibrary.getFunction(1).getNodeDef(0).getOp == "Add")
  }

  private def product(factor: NodeDef): GraphDef = graph(
    Seq(
      GraphDefs.node("Placeholder", "x", Nil, Map("dtype" -> DType.Float32)),
      factor,
      GraphDefs.node("Mul", "product", Seq("x", "factor"), float),
      GraphDefs.node("Maximum", "larger", Seq("product", "x"), float)
    )
  )

  private def factor(value: Double, dtype: DType): NodeDef =
    GraphDefs.node("Const", "factor", Nil, Map("dtype" -> dtype, "value" -> GraphDefs.tensor(dtype, Nil, Seq(value))))

  test("the larger of values and a multiple of them is no leaky ReLU unless the factor is at most 1") {
    for (value <- Seq(1.0, 0.2, -3.0); dtype <- Seq(DType.Float32, DType.Float64)) {
      val leaky = product(factor(value, dtype))
      assert(FalseFusions.without(leaky) eq leaky, value)
    }
    for (value <- Seq(1.5, Double.NaN); dtype <- Seq(DType.Float32, DType.Float64))
      assert(operation(FalseFusions.without(product(factor(value, dtype))), "larger") == "Neg", value)
    val several = product(vector("factor", 3))
    assert(FalseFusions.without(several) eq several)
  }

  test("the larger of values and what is computed from them by more than products is left alone") {
    val nodes = Seq(
      GraphDefs.node("Placeholder", "x", Nil, Map("dtype" -> DType.Float32)),
      GraphDefs.node("Relu", "product", Seq("x"), float),
      GraphDefs.node("Maximum", "larger", Seq("product", "x"), float)
    )
    assert(operation(FalseFusions.without(graph(nodes)), "larger") == "Maximum")
  }

  test("a maximum in a function keeps its name, and the function its result") {
    val body = Seq(
      GraphDefs.node("AddV2", "sum", Seq("x", "x"), float),
      GraphDefs.node("Maximum", "larger", Seq("sum:z:0", "x"), float),
      GraphDefs.node("Identity", "copy", Seq("larger:z:0"), float)
    )
    val whole = graph(Seq(GraphDefs.node("Placeholder", "x", Nil), call("called", "larger", "x"))).toBuilder
    whole.getLibraryBuilder.addFunction(function("larger", Seq("x"), "larger:z:0", body))
    val rewritten = FalseFusions.without(whole.build()).getLibrary.getFunction(0)
    val nodes = rewritten.getNodeDefList.asScala.map(n => n.getName -> n).toMap
    assert(nodes("larger").getOp == "Neg")
    assert(
      nodes("larger/minimum").getInputList.asScala.toVector == Seq(
        "larger/negative_left:y:0",
        "larger/negative_right:y:0"
      )
    )
    assert(rewritten.getRetOrThrow("result") == "larger:y:0")
    assert(nodes("copy").getInput(0) == "larger:y:0")
  }

  private def call(name: String, function: String, inputs: String*): NodeDef =
    GraphDefs.node(
      "StatefulPartitionedCall",
      name,
      inputs,
      Map("f" -> AttrValue.newBuilder().setFunc(NameAttrList.newBuilder().setName(function)).build())
    )

  private def function(name: String, arguments: Seq[String], result: String, body: Seq[NodeDef]): FunctionDef = {
    val signature = OpDef.newBuilder().setName(name).addOutputArg(OpDef.ArgDef.newBuilder().setName("result"))
    arguments.foreach(a => signature.addInputArg(OpDef.ArgDef.newBuilder().setName(a)))
    FunctionDef.newBuilder().setSignature(signature).addAllNodeDef(body.asJava).putRet("result", result).build()
  }
}
