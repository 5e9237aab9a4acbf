package org.sparkdl.testing

import scala.collection.mutable

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.analysis.UnresolvedFunction
import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.SparkSession
import org.apache.spark.sql.execution.SparkPlan
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.execution.EvalModelExec
import org.apache.spark.sql.sparkdl.functions.ModelFunction

/** The names of the logical nodes that have met a model: in their own expressions or text, or anywhere in what they
  * consist of.
  */
class NodesWithModels {
  val holding: mutable.Set[String] = mutable.Set.empty
  val above: mutable.Set[String] = mutable.Set.empty

  /** Records the nodes of a query as it was written and analysed. */
  def of(df: DataFrame): DataFrame = {
    val execution = df.asInstanceOf[org.apache.spark.sql.classic.Dataset[_]].queryExecution
    Seq(execution.logical, execution.analyzed, execution.withCachedData).foreach(record)
    df
  }

  /** Runs what may fail while the plans that the session optimizes are recorded, before models are taken out. */
  def during[T](session: SparkSession)(body: => T): T = {
    val rules = session.experimental.extraOptimizations
    session.experimental.extraOptimizations = Recording(record) +: rules
    try body
    finally session.experimental.extraOptimizations = rules
  }

  def record(plan: LogicalPlan): Unit = { visit(plan); () }

  /** Whether there is a model anywhere in it. */
  private def visit(part: Any): Boolean = part match {
    case plan: LogicalPlan =>
      val (plans, others) = NodesWithModels.parts(plan).partition(_.isInstanceOf[LogicalPlan])
      val own = others.map(visit).exists(identity)
      val below = plans.map(visit).exists(identity)
      val name = plan.getClass.getSimpleName.stripSuffix("$")
      if (others.exists(NodesWithModels.holds)) holding += name
      if (own || below) above += name
      own || below
    case e if NodesWithModels.isModel(e) => true
    case other                           => NodesWithModels.parts(other).map(visit).exists(identity)
  }
}

private object NodesWithModels {

  /** A model outside of the plans that something consists of. */
  def holds(part: Any): Boolean = part match {
    case _: LogicalPlan => false
    case other          => isModel(other) || parts(other).exists(holds)
  }

  def isModel(part: Any): Boolean = part match {
    case _: ModelCall | _: ModelFunction | _: EvalModelExec => true
    case f: UnresolvedFunction                              => f.nameParts == Seq("twice")
    case text: String                                       => text.contains("twice(")
    case _                                                  => false
  }

  def parts(whole: Any): Seq[Any] = whole match {
    case plan: LogicalPlan => plan.productIterator.toSeq ++ plan.children ++ plan.innerChildren
    case e: Expression     => e.productIterator.toSeq ++ e.children
    case p: SparkPlan      => p.children
    case many: Iterable[_] => many.toSeq
    case p: Product        => p.productIterator.toSeq
    case _                 => Nil
  }
}

private case class Recording(record: LogicalPlan => Unit) extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = { record(plan); plan }
}
