package org.apache.spark.sql.sparkdl.moving

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.optimizer.{CollapseProject, PushPredicateThroughNonJoin, RemoveNoopOperators}
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.frames.Conditions
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, PassesRows, RunsModel, TrimBlocks}

/** Does for [[EvalModel]] and [[TrimBlocks]] what Spark's optimizer does for its own operators: fewer rows and fewer
  * columns go through.
  */
object OptimizeModels extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan =
    if (!plan.exists(_.isInstanceOf[RunsModel])) plan
    else tidy(plan.transformDown(optimize))

  /** Lifting leaves projections that only cut columns off; Spark plans a top-k, for example, only without them. */
  private def tidy(plan: LogicalPlan): LogicalPlan = RemoveNoopOperators(CollapseProject(plan))

  private val optimize: PartialFunction[LogicalPlan, LogicalPlan] = {
    case Filter(condition, model: EvalModel) if model.byRow && pushable(condition, model).nonEmpty =>
      pushFilter(condition, model)
    case LocalLimit(limit, GivesEachRow(row)) if !isLimited(row.child, limit) =>
      LocalLimit(limit, row.withNewChildren(Seq(LocalLimit(limit, row.child))))
    case LocalLimit(limit, p @ Project(list, GivesEachRow(row)))
        if list.forall(_.deterministic) && !isLimited(row.child, limit) =>
      LocalLimit(limit, p.copy(child = row.withNewChildren(Seq(LocalLimit(limit, row.child)))))
    case parent @ (_: Project | _: Aggregate) if parent.exists(_.isInstanceOf[RunsModel]) =>
      parent.mapChildren(prune(_, parent.references))
  }

  private def isLimited(plan: LogicalPlan, limit: Expression): Boolean = limit match {
    case IntegerLiteral(rows) => plan.maxRowsPerPartition.exists(_ <= rows)
    case _                    => true
  }

  /** The conjuncts that need no output of the model. */
  private def pushable(condition: Expression, model: EvalModel): Seq[Expression] =
    Conditions
      .conjuncts(condition)
      .filter(c =>
        c.deterministic && c.references.subsetOf(model.child.outputSet) && !c.exists(_.isInstanceOf[ModelCall])
      )

  private def pushFilter(condition: Expression, model: EvalModel): LogicalPlan = {
    val below = pushable(condition, model)
    val above = Conditions.conjuncts(condition).filterNot(below.contains)
    // Spark's own rules have run: what stands below, such as a Python function that loads images, is passed here.
    val pushed = model.copy(child = PushPredicateThroughNonJoin(Filter(below.reduce(And), model.child)))
    above.reduceOption(And).fold[LogicalPlan](pushed)(Filter(_, pushed))
  }

  /** Drops what nobody needs between a projection or an aggregation and the operators below it: models none of whose
    * outputs is used, Python functions whose results are no longer used since a model's output is taken from further
    * down, and columns that are carried along.
    */
  private def prune(plan: LogicalPlan, needed: AttributeSet): LogicalPlan = plan match {
    case p: Project =>
      val kept = p.copy(projectList = p.projectList.filter(needed.contains))
      kept.copy(child = prune(p.child, kept.references))
    case m: EvalModel if m.keepsRows && !(m.outputs ++ m.error).exists(needed.contains) => prune(m.child, needed)
    case m: EvalModel =>
      val narrow = narrowOutputs(m, needed).copy(carried = m.carried.filter(needed.contains))
      narrow.copy(child = prune(m.child, narrow.references))
    case t: TrimBlocks     => narrowTrimmed(t, needed)
    case p: BaseEvalPython => prunePython(p, needed)
    case PassesRows(unary) => unary.mapChildren(prune(_, needed ++ unary.references))
    case other             => other
  }

  private def prunePython(plan: BaseEvalPython, needed: AttributeSet): LogicalPlan = {
    val (udfs, results) = plan.udfs.zip(plan.resultAttrs).filter { case (_, a) => needed.contains(a) }.unzip
    val child = prune(plan.child, needed ++ AttributeSet(udfs))
    plan match {
      case _ if udfs.isEmpty  => child
      case p: ArrowEvalPython => p.copy(udfs = udfs, resultAttrs = results, child = child)
      case p: BatchEvalPython => p.copy(udfs = udfs, resultAttrs = results, child = child)
      case other              => other
    }
  }

  private def narrowOutputs(model: EvalModel, needed: AttributeSet): EvalModel = {
    val (call, outputs) = narrow(model.call, model.outputs, needed)
    val error = model.error.filter(needed.contains)
    if (outputs.size == model.outputs.size && error == model.error) model
    else model.copy(call = call, outputs = outputs, error = error)
  }

  private def narrowTrimmed(trim: TrimBlocks, needed: AttributeSet): TrimBlocks = {
    val (call, outputs) = narrow(trim.call, trim.outputs, needed)
    val child = prune(trim.child, trim.references)
    if (outputs.size == trim.outputs.size) trim.copy(child = child) else TrimBlocks(call, outputs, child)
  }

  private def narrow(
      call: ModelCall,
      outputs: Seq[Attribute],
      needed: AttributeSet
  ): (ModelCall, Seq[Attribute]) = {
    val all = outputs.zip(call.application.outputs)
    val used = all.filter { case (a, _) => needed.contains(a) }
    // At least one output is fetched even when only the reasons, the survivors or their number are asked for.
    val kept = if (used.isEmpty) all.take(1) else used
    (call.copy(application = call.application.copy(outputs = kept.map(_._2))), kept.map(_._1))
  }
}
