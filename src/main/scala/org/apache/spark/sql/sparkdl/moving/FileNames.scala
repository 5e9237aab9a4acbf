package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, RunsModel}

/** Asks for the names of files (`input_file_name()`) below models: they are those of the row that was read last, and
  * a model has read a batch of rows, maybe of several files, before it gives the first.
  */
object FileNames extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (!plan.exists(_.isInstanceOf[RunsModel])) plan
    else
      plan.transformUp {
        case node: UnaryNode if fileNamesIn(node).nonEmpty =>
          val named = fileNamesIn(node).foldLeft(node)(takeFromBelow)
          if (named.output == node.output) named else Project(node.output, named)
      }

  private def fileNamesIn(node: UnaryNode): Seq[Expression] =
    node.expressions
      .flatMap(_.collect { case e @ (_: InputFileName | _: InputFileBlockStart | _: InputFileBlockLength) => e })
      .distinct

  private def takeFromBelow(node: UnaryNode, fileName: Expression): UnaryNode =
    belowModel(fileName, node.child).fold(node) { case (child, column) =>
      val replaced = node.transformExpressions { case e if e == fileName => column }
      replaced.withNewChildren(Seq(child)).asInstanceOf[UnaryNode]
    }

  /** The plan with the name of the file as a further column, if rows go through a model in it. */
  private def belowModel(fileName: Expression, plan: LogicalPlan): Option[(LogicalPlan, Attribute)] = plan match {
    case m: EvalModel =>
      val (child, column) = lowest(fileName, m.child)
      Some((m.copy(carried = m.carried :+ column, child = child), column))
    case p: Project =>
      belowModel(fileName, p.child).map { case (child, column) =>
        (p.copy(projectList = p.projectList :+ column, child = child), column)
      }
    case InSameTask(node) =>
      belowModel(fileName, node.child).map { case (child, column) => (node.withNewChildren(Seq(child)), column) }
    case _ => None
  }

  private def lowest(fileName: Expression, plan: LogicalPlan): (LogicalPlan, Attribute) =
    belowModel(fileName, plan).getOrElse {
      val column = Alias(fileName, fileName.prettyName)()
      (Project(plan.output :+ column, plan), column.toAttribute)
    }
}

/** Nodes that pass on columns of their child, row by row within the task that reads them. */
private object InSameTask {
  def unapply(plan: LogicalPlan): Option[UnaryNode] = plan match {
    case r: Repartition if !r.shuffle => Some(r)
    case node @ (_: Filter | _: LocalLimit | _: Sample | _: Generate | _: BaseEvalPython) =>
      Some(node.asInstanceOf[UnaryNode])
    case _ => None
  }
}
