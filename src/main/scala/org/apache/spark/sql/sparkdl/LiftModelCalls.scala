package org.apache.spark.sql.sparkdl

import org.apache.spark.sql.catalyst.expressions._
import org.apache.spark.sql.catalyst.plans.logical._
import org.apache.spark.sql.catalyst.rules.Rule

import org.sparkdl.errors.SchemaMismatchException

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
    else plan.transformUp { case node if hasCall(node) => innermostFirst(node) }

  private def hasCall(node: LogicalPlan): Boolean = node match {
    case _: RunsModel => node.expressions.exists(e => callsIn(e).exists(c => !isOwn(node, c)))
    case _            => node.expressions.exists(_.exists(_.isInstanceOf[ModelCall]))
  }

  private def isOwn(node: LogicalPlan, call: ModelCall): Boolean = node match {
    case own: RunsModel => own.call eq call
    case _              => false
  }

  private def callsIn(e: Expression): Seq[ModelCall] = e.collect { case c: ModelCall => c }

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
    distinct.foreach(refuseLambdas)
    val (children, results) = distinct.foldLeft((node.children, Map.empty[Expression, Seq[Attribute]])) {
      case ((kids, known), call) =>
        val at = kids.indexWhere(k => call.references.subsetOf(k.outputSet))
        if (at < 0) refuseTwoSides(call)
        val (child, attributes) = provide(call, kids(at))
        (kids.updated(at, child), known + (call.canonicalized -> attributes))
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

  /** A call that uses the variable of a function around it; functions within its own inputs are fine. */
  private def refuseLambdas(call: ModelCall): Unit = {
    val bound = call.collect { case f: LambdaFunction => f.arguments.map(_.exprId) }.flatten.toSet
    if (call.exists { case v: NamedLambdaVariable => !bound(v.exprId); case _ => false })
      throw new SchemaMismatchException(
        s"Model '${call.prettyName}' cannot be applied inside a higher-order function such as transform(array, ...): " +
          "explode the array into rows, apply the model, and collect the results again."
      )
  }

  private def refuseTwoSides(call: ModelCall): Nothing = throw new SchemaMismatchException(
    s"Model '${call.prettyName}' takes columns of both sides of a join in the join's condition: join first, then apply " +
      "the model to the joined rows."
  )
}
