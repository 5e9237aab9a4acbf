package org.sparkdl.model

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{GraphDef, NodeDef}

import org.sparkdl.runtime.{DType, GraphDefs}
import org.sparkdl.tensor.TensorSpec

/** Lets TensorFlow itself refuse a row that is smaller than a window of pooling. Where such a row gives an empty
  * result, the kernels of oneDNN divide by its size, which ends the process.
  */
private[model] object WindowChecks {
  private val Pooling = Set("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D")
  private val MostDimensions = 5L // in a message
  private val Suffix = "/window_is_filled"

  /** Whether a graph with operations of these types may need them. */
  def mayNeed(types: Iterable[String]): Boolean = types.exists(Pooling)

  /** The graph with a check before each pooling, if rows may differ in size; itself if nothing is missing. */
  def in(graph: GraphDef, inputs: Seq[TensorSpec]): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    val nodes = graph.getNodeList.asScala ++ functions.flatMap(_.getNodeDefList.asScala)
    // In a loop of TensorFlow 1, constants would have to be led into it.
    val isLoop = nodes.exists(_.getOp == "Enter")
    if (isLoop || !inputs.exists(mayDiffer) || !nodes.exists(needsCheck)) graph
    else {
      val builder = graph.toBuilder.clearNode()
      graph.getNodeList.asScala.foreach(n => checked(n, isFunction = false).foreach(builder.addNode))
      builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
        val after = f.getNodeDefList.asScala.toVector.flatMap(checked(_, isFunction = true))
        f.clearNodeDef().addAllNodeDef(after.asJava)
        ()
      }
      builder.build()
    }
  }

  private def mayDiffer(input: TensorSpec) = input.cell.forall(_.exists(_ < 0))

  private def needsCheck(node: NodeDef) =
    Pooling(node.getOp) && !node.getInputList.asScala.contains(s"^${node.getName}$Suffix")

  /** The pooling, after the nodes that compare the shape of what it slides over with the window. */
  private def checked(pool: NodeDef, isFunction: Boolean): Seq[NodeDef] = if (!needsCheck(pool)) Seq(pool)
  else {
    val name = pool.getName
    def output(of: String, end: String) = if (isFunction) s"$of:$end:0" else of
    val window = least(pool)
    val nodes = Seq(
      constant(s"$name/least", DType.Int32, Seq(window.size.toLong), window),
      constant(s"$name/axis", DType.Int32, Seq(1L), Seq(0)),
      constant(s"$name/why", DType.Str, Nil, Seq(s"the row is smaller than a window of pooling $name: its shape is")),
      GraphDefs.node("Shape", s"$name/size", Seq(pool.getInput(0)), Map("T" -> pool.getAttrOrThrow("T"))),
      GraphDefs.node(
        "GreaterEqual",
        s"$name/suffices",
        Seq(output(s"$name/size", "output"), output(s"$name/least", "output")),
        Map("T" -> DType.Int32)
      ),
      GraphDefs.node(
        "All",
        s"$name/all_suffice",
        Seq(output(s"$name/suffices", "z"), output(s"$name/axis", "output"))
      ),
      GraphDefs.node(
        "Assert",
        s"$name$Suffix",
        Seq(output(s"$name/all_suffice", "output"), output(s"$name/why", "output"), output(s"$name/size", "output")),
        Map("T" -> GraphDefs.types(Seq(DType.Str, DType.Int32)), "summarize" -> MostDimensions)
      )
    )
    nodes :+ pool.toBuilder.addInput(s"^$name$Suffix").build()
  }

  /** The least that each dimension must be: a window, or, where the edges are padded, anything at all. */
  private def least(pool: NodeDef): Seq[Long] = {
    val window = pool.getAttrOrThrow("ksize").getList.getIList.asScala.map(_.longValue).toSeq
    val isWhole = pool.getAttrOrThrow("padding").getS.toStringUtf8 == "VALID"
    window.map(size => if (size > 1 && isWhole) size else if (size > 1) 1L else 0L)
  }

  private def constant(name: String, dtype: DType, shape: Seq[Long], values: Seq[Any]): NodeDef =
    GraphDefs.node("Const", name, Nil, Map("dtype" -> dtype, "value" -> GraphDefs.tensor(dtype, shape, values)))
}
