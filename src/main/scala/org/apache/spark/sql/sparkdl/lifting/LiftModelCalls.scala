package org.apache.spark.sql.sparkdl.lifting

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.ModelCall
import org.apache.spark.sql.sparkdl.functions.PlanCatalogFunctions
import org.apache.spark.sql.sparkdl.groups.AggregateResults
import org.apache.spark.sql.sparkdl.nodes.{EvalModel, RunsModel}

/** Takes model calls out of the expressions of a plan into [[EvalModel]] nodes below them.
  *
  * It runs at the end of the optimizer, when deterministic expressions may have been copied, for example from a
  * projection into a filter below it. Equal calls on the same columns become one node: a call whose result is already
  * computed further down, below filters, limits, sorts, projections and Python functions, takes it from there.
  */
object LiftModelCalls extends Rule[LogicalPlan] {

  override def apply(plan: LogicalPlan): LogicalPlan = lift(PlanCatalogFunctions(plan))

  private def lift(plan: LogicalPlan): LogicalPlan =
    if (!plan.exists(hasCall)) plan
    else plan.transformUp { case node if hasCall(node) => liftOutOf(node) }

  /** Whether calls are left that have to be taken out. Commands run queries of their own with the expressions they
    * hold.
    */
  private[sparkdl] def hasCall(node: LogicalPlan): Boolean = node match {
    case _: Command   => false
    case _: RunsModel => node.expressions.exists(e => callsIn(e).exists(c => !isOwn(node, c)))
    case _            => node.expressions.exists(_.exists(_.isInstanceOf[ModelCall]))
  }

  private def isOwn(node: LogicalPlan, call: ModelCall): Boolean = node match {
    case own: RunsModel => own.call eq call
    case _              => false
  }

  private def callsIn(e: Expression): Seq[ModelCall] = e.collect { case c: ModelCall => c }

  private def liftOutOf(node: LogicalPlan): LogicalPlan = node match {
    case aggregate: Aggregate => AggregateResults.split(aggregate).map(liftBoth).getOrElse(innermostFirst(aggregate))
    case join: Join           => JoinConditions.split(join).map(liftBoth).getOrElse(innermostFirst(join))
    case other                => innermostFirst(other)
  }

  private def liftBoth(split: UnaryNode): LogicalPlan =
    innermostFirst(split.withNewChildren(Seq(innermostFirst(split.child))))

  /** Lifts one round of calls, those without calls in their inputs, until none is left: models of models. */
  private def innermostFirst(node: LogicalPlan): LogicalPlan = {
    var current = node
    while (hasCall(current)) current = liftOnce(current, node.output)
    if (current.output == node.output) current else Project(node.output, current)
  }

  private def liftOnce(node: LogicalPlan, wanted: Seq[Attribute]): LogicalPlan = {
    val calls = node.expressions.flatMap(callsIn).filterNot(isOwn(node, _))
    val ready = calls.filter(c => !c.children.exists(_.exists(_.isInstanceOf[ModelCall])))
    val distinct = ready.groupBy(_.canonicalized).values.map(_.head).toSeq
    distinct.foreach { call => Refusals.refuseInLambda(call); Refusals.refuseOnAggregates(call, node) }
    val (children, results) = distinct.foldLeft((node.children, Map.empty[Expression, Seq[Attribute]])) {
      case ((children, results), call) =>
        val at = children.indexWhere(k => call.references.subsetOf(k.outputSet))
        if (at < 0) Refusals.refuseWithoutRows(call, node)
        val (child, attributes) = provide(call, children(at))
        (children.updated(at, child), results + (call.canonicalized -> attributes))
    }
    val lifted = replaceCalls(node, results).withNewChildren(children)
    // A filter, a sort, a join pass on what their children give: cut the new columns off again above them.
    if (lifted.output == wanted || hasCall(lifted)) lifted else Project(wanted, lifted)
  }

  /** The plan that gives the call's outputs, and their attributes. */
  private def provide(call: ModelCall, child: LogicalPlan): (LogicalPlan, Seq[Attribute]) =
    Available.find(call, child).getOrElse {
      val outputs = call.application.outputs.map(o => AttributeReference(o.spec.name, o.dataType)())
      (EvalModel(call, None, None, outputs, None, child.output, child), outputs)
    }

  private def replaceCalls(node: LogicalPlan, results: Map[Expression, Seq[Attribute]]): LogicalPlan = {
    def result(call: ModelCall): Option[Seq[Attribute]] =
      if (isOwn(node, call)) None else results.get(call.canonicalized)
    node.transformExpressionsDown {
      case g @ GetStructField(call: ModelCall, i, _) if call.application.outputs.size > 1 =>
        result(call).map(_(i)).getOrElse(g)
      case call: ModelCall =>
        result(call)
          .map {
            case Seq(one) => one
            case several =>
              CreateNamedStruct(call.application.outputs.zip(several).flatMap { case (o, a) =>
                Seq(Literal(o.spec.name), a)
              })
          }
          .getOrElse(call)
    }
  }
}
