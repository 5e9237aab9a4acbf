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
  def in(graph: GraphDef, inputs: Seq[TensorSpec]): GraphDef = if (inputs.exists(mayDiffer)) in(graph) else graph

  /** The graph with a check before each pooling; itself if nothing is missing. */
  def in(graph: GraphDef): GraphDef = {
    val functions = graph.getLibrary.getFunctionList.asScala
    val nodes = graph.getNodeList.asScala ++ functions.flatMap(_.getNodeDefList.asScala)
    if (!nodes.exists(needsCheck)) graph
    else {
      val builder = graph.toBuilder.clearNode()
      checked(graph.getNodeList.asScala, isFunction = false).foreach(builder.addNode)
      builder.getLibraryBuilder.getFunctionBuilderList.forEach { f =>
        val after = checked(f.getNodeDefList.asScala.toVector, isFunction = true)
        f.clearNodeDef().addAllNodeDef(after.asJava)
        ()
      }
      builder.build()
    }
  }

  private def mayDiffer(input: TensorSpec) = input.cell.forall(_.exists(_ < 0))

  private def needsCheck(node: NodeDef) =
    Pooling(node.getOp) && !node.getInputList.asScala.contains(s"^${node.getName}$Suffix")

  private def checked(nodes: Iterable[NodeDef], isFunction: Boolean): Seq[NodeDef] = {
    // What is computed in a loop of TensorFlow 1 has an input from it, constants too.
    val isLoop = nodes.exists(_.getOp == "Enter")
    nodes.toSeq.flatMap { node =>
      if (!needsCheck(node)) Seq(node)
      else checked(node, isFunction, if (isLoop) Seq(s"^${operation(node.getInput(0))}") else Nil)
    }
  }

  /** The operation of an input, "name:1" or, in functions, "name:output:0". */
  private def operation(input: String) = input.takeWhile(_ != ':')

  /** The pooling, after the nodes that compare the shape of what it slides over with the window.
    *
    * @param before
    *   control inputs of the constants
    */
  private def checked(pool: NodeDef, isFunction: Boolean, before: Seq[String]): Seq[NodeDef] = {
    val name = pool.getName
    def output(of: String, end: String) = if (isFunction) s"$of:$end:0" else of
    val window = least(pool)
    val nodes = Seq(
      constant(s"$name/least", before, DType.Int32, Seq(window.size.toLong), window),
      constant(s"$name/axis", before, DType.Int32, Seq(1L), Seq(0)),
      constant(
        s"$name/why",
        before,
        DType.Str,
        Nil,
        Seq(s"the row is smaller than a window of pooling $name: its shape is")
      ),
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

  private def constant(name: String, before: Seq[String], dtype: DType, shape: Seq[Long], values: Seq[Any]): NodeDef =
    GraphDefs.node("Const", name, before, Map("dtype" -> dtype, "value" -> GraphDefs.tensor(dtype, shape, values)))
}
