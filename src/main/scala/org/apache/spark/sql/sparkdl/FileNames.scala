package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule

/** Asks for the names of files (`input_file_name()`) below models: they are those of the row that was read last, and
  * a model has read a batch of rows, maybe of several files, before it gives the first.
  */
object FileNames extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (!plan.exists(_.isInstanceOf[RunsModel])) plan
    else
      plan.transformUp {
        case node: UnaryNode if asked(node).nonEmpty =>
          val answered = asked(node).foldLeft(node)(answer)
          if (answered.output == node.output) answered else Project(node.output, answered)
      }

  private def asked(node: UnaryNode): Seq[Expression] =
    node.expressions
      .flatMap(_.collect { case e @ (_: InputFileName | _: InputFileBlockStart | _: InputFileBlockLength) => e })
      .distinct

  private def answer(node: UnaryNode, question: Expression): UnaryNode =
    belowModel(question, node.child).fold(node) { case (child, answer) =>
      val replaced = node.transformExpressions { case e if e == question => answer }
      replaced.withNewChildren(Seq(child)).asInstanceOf[UnaryNode]
    }

  /** The plan with the answer as a further column, if rows go through a model in it. */
  private def belowModel(question: Expression, plan: LogicalPlan): Option[(LogicalPlan, Attribute)] = plan match {
    case m: EvalModel =>
      val (child, answer) = lowest(question, m.child)
      Some((m.copy(carried = m.carried :+ answer, child = child), answer))
    case p: Project =>
      belowModel(question, p.child).map { case (child, answer) =>
        (p.copy(projectList = p.projectList :+ answer, child = child), answer)
      }
    case InSameTask(node) =>
      belowModel(question, node.child).map { case (child, answer) => (node.withNewChildren(Seq(child)), answer) }
    case _ => None
  }

  private def lowest(question: Expression, plan: LogicalPlan): (LogicalPlan, Attribute) =
    belowModel(question, plan).getOrElse {
      val answer = Alias(question, question.prettyName)()
      (Project(plan.output :+ answer, plan), answer.toAttribute)
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
