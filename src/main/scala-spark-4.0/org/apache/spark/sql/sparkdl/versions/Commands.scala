package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Expression
import org.apache.spark.sql.catalyst.plans.logical.{Call, CreateVariable, DefaultValueExpression, LogicalPlan}

/** Since Spark 4.0 sessions have variables and catalogs have procedures. */
private trait Commands extends SparkApi {
  override def mapVariableDefault(command: LogicalPlan)(change: Expression => Expression): LogicalPlan =
    command match {
      case create: CreateVariable =>
        // Not a copy, which has other parts in other versions of Spark.
        create.mapExpressions {
          case default: DefaultValueExpression => default.withNewChildren(Seq(change(default.child)))
          case other                           => other
        }
      case other => other
    }

  abstract override def expressionsKept(command: LogicalPlan): Seq[Expression] = command match {
    case call: Call => call.expressions
    case other      => super.expressionsKept(other)
  }
}
