package org.sparkdl.graph

import scala.jdk.CollectionConverters._

import org.tensorflow.proto.{DataType, GraphDef, NodeDef}

import org.sparkdl.runtime.{OpDefs, TensorName, TfException, TfGraph}

/** Replaces each operation that depends on rows by its counterpart for many rows, by the tables of rules. */
private[graph] final class Vectorizer private (row: RowGraph) {
  private val block = new BlockNodes(row)

  /** For each node that was emitted: whether its outputs have the dimension of rows in front. */
  private val rows = collection.mutable.Map.empty[String, Boolean]

  private def graph: Option[(GraphDef, Seq[String])] =
    row.sorted.filter(_.forall(lift)).map { _ =>
      val outputs = row.outputs.map(o => o -> output(o)).toMap
      (block.build(), row.outputs.map(outputs))
    }

  private def lift(node: NodeDef): Boolean =
    if (row.isInput(node)) emit(row.withRows(node), rows = true)
    else {
      val args = node.getInputList.asScala.toIndexedSeq.filterNot(TensorName.isControl).map(arg)
      if (args.exists(_.rows)) onRows(new RowNode(node, args, row, block), node)
      else !OpDefs.isStateful(row.runtime, node.getOp) && !Vectorizer.Branches(node.getOp) && emit(node, rows = false)
    }

  private def onRows(rowNode: RowNode, node: NodeDef): Boolean =
    if (rowNode.args.exists(_.rank.exists(_ > Vectorizer.MaxRank))) false
    else byRule(rowNode, node)

  private def byRule(rowNode: RowNode, node: NodeDef): Boolean =
    ShapeRules.ofShapes.get(node.getOp) match {
      case Some(rule) => rule(rowNode).exists(emit(_, rows = false))
      case None       => Rules.byOp.get(node.getOp).flatMap(_(rowNode)).exists(emit(_, rows = true))
    }

  private def emit(node: NodeDef, rows: Boolean): Boolean = {
    this.rows(node.getName) = rows
    block.put(node)
    true
  }

  private def arg(ref: String): Arg = Arg(ref, rows(TensorName.operation(ref)), row.shape(ref), row.dtype(ref))

  /** The output's tensor in the block graph; what is the same for all rows is repeated. */
  private def output(ref: String): String = {
    val value = arg(ref)
    if (value.rows) ref
    else {
      val first = arg(row.inputs.head.tensor)
      val near = s"${TensorName.operation(ref)}/rows"
      val count = block.dims(near, first.ref, first.dtype, 0, 1, DataType.DT_INT32)
      block.spread(value, count, near)
    }
  }
}

private[graph] object Vectorizer {

  /** The block graph and its outputs; None where an operation has no rule that applies. */
  def of(row: RowGraph): Option[(GraphDef, Seq[String])] = new Vectorizer(row).graph.filter { case (graph, outputs) =>
    consistent(row, graph, outputs)
  }

  /** Some kernels go up to seven dimensions, an operation may add one, and one is that of rows. */
  private val MaxRank = 5

  /** Operations that decide which others run, as in TensorFlow 1. */
  private val Branches = Set("Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "RefSwitch", "RefMerge")

  /** Whether TensorFlow agrees that the outputs are those of a row with one more dimension. */
  private def consistent(row: RowGraph, graphDef: GraphDef, outputs: Seq[String]): Boolean =
    try {
      val graph = TfGraph.fromBytes(row.runtime, graphDef.toByteArray)
      try
        row.outputs.zip(outputs).forall { case (one, many) =>
          val shapes = for (a <- row.shape(one); b <- Option(graph.output(many).get.shape)) yield (-1L +: a, b.toSeq)
          shapes.forall { case (a, b) =>
            a.size == b.size && a.zip(b).forall { case (x, y) => x < 0 || y < 0 || x == y }
          }
        }
      finally graph.close()
    } catch { case _: TfException => false }
}
