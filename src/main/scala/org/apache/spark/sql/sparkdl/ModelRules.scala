package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.Strategy
import org.apache.spark.sql.execution.SparkPlan

/** Does for [[EvalModel]] what Spark's optimizer does for its own operators: fewer rows and fewer columns go through.
  */
object OptimizeModels extends Rule[LogicalPlan] with PredicateHelper {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (!plan.exists(_.isInstanceOf[EvalModel])) plan
    else
      plan.transformDown {
        case Filter(condition, model: EvalModel) if pushable(condition, model).nonEmpty =>
          pushFilter(condition, model)
        case LocalLimit(limit, model: EvalModel) if model.keepsRows && !model.child.isInstanceOf[LocalLimit] =>
          LocalLimit(limit, model.copy(child = LocalLimit(limit, model.child)))
        case parent if parent.children.exists(_.isInstanceOf[EvalModel]) => narrow(parent)
      }

  /** The conjuncts that need no output of the model. */
  private def pushable(condition: Expression, model: EvalModel): Seq[Expression] =
    splitConjunctivePredicates(condition)
      .filter(c =>
        c.deterministic && c.references.subsetOf(model.child.outputSet) && !c.exists(_.isInstanceOf[ModelCall])
      )

  private def pushFilter(condition: Expression, model: EvalModel): LogicalPlan = {
    val below = pushable(condition, model)
    val above = splitConjunctivePredicates(condition).filterNot(below.contains)
    val pushed = model.copy(child = Filter(below.reduce(And), model.child))
    above.reduceOption(And).fold[LogicalPlan](pushed)(Filter(_, pushed))
  }

  /** Drops the model when a projection or an aggregation needs none of its outputs, else what nobody needs of the
    * columns that it carries. Other parents pass on all that they get, so they are left alone.
    */
  private def narrow(parent: LogicalPlan): LogicalPlan = parent match {
    case _: Project | _: Aggregate =>
      parent.mapChildren {
        case model: EvalModel =>
          val needed = parent.references
          if (model.keepsRows && (model.outputs ++ model.error).forall(!needed.contains(_))) model.child
          else {
            val carried = model.carried.filter(needed.contains)
            val outputs = narrowOutputs(model, needed)
            if (carried == model.carried) outputs else outputs.copy(carried = carried)
          }
        case other => other
      }
    case _ => parent
  }

  private def narrowOutputs(model: EvalModel, needed: AttributeSet): EvalModel = {
    val used = model.outputs.zip(model.call.application.outputs).filter { case (a, _) => needed.contains(a) }
    // At least one output is fetched even when only the reasons or the survivors are asked for.
    val kept = if (used.isEmpty) model.outputs.zip(model.call.application.outputs).take(1) else used
    val error = model.error.filter(needed.contains)
    if (kept.size == model.outputs.size && error == model.error) model
    else {
      val application = model.call.application.copy(outputs = kept.map(_._2))
      model.copy(call = model.call.copy(application = application), outputs = kept.map(_._1), error = error)
    }
  }
}

/** Installs the operator into a session at its first query; the session is not complete when its rules are made. */
case class InstallRule(session: SparkSession) extends Rule[LogicalPlan] {
  override def apply(plan: LogicalPlan): LogicalPlan = { Bridge.install(session); plan }
}

/** Plans [[EvalModel]] as [[EvalModelExec]]. */
object ModelStrategy extends Strategy {
  override def apply(plan: LogicalPlan): Seq[SparkPlan] = plan match {
    case m: EvalModel =>
      EvalModelExec(m.call, m.rejected, m.rowSource, m.outputs, m.error, m.carried, planLater(m.child)) :: Nil
    case _ => Nil
  }
}
