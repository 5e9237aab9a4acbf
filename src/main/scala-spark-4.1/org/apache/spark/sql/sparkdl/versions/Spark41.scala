package org.apache.spark.sql.sparkdl.versions

import org.apache.hadoop.conf.Configuration
import org.apache.spark.SparkContext
import org.apache.spark.broadcast.Broadcast
import org.apache.spark.sql.catalyst.FunctionIdentifier
import org.apache.spark.sql.catalyst.expressions.{Expression, PredicateHelper}
import org.apache.spark.sql.catalyst.optimizer.JoinSelectionHelper
import org.apache.spark.sql.catalyst.plans.logical.{
  AddCheckConstraint,
  CreateStreamingTable,
  LogicalPlan,
  Project,
  TableSpec
}
import org.apache.spark.sql.catalyst.plans.physical.{ClusteredDistribution, Distribution}
import org.apache.spark.sql.connector.catalog.constraints.Check
import org.apache.spark.sql.internal.SQLConf
import org.apache.spark.util.SerializableConfiguration

/** Spark 4.1. Spark's traits are mixed in here and nowhere else, for a class gets all their methods when it is
  * compiled, and they are not the same in all versions.
  */
final private class Spark41 extends SparkApi with PredicateHelper with JoinSelectionHelper {

  /** Spark 4.0 has no such method. */
  override def broadcast(context: SparkContext, hadoop: Configuration): Broadcast[SerializableConfiguration] =
    SerializableConfiguration.broadcast(context, hadoop)

  /** From 4.2 on, the name has three parts. */
  override def temporaryFunction(name: String): FunctionIdentifier = FunctionIdentifier(name)

  /** 4.3 has a further parameter. */
  override def clustered(keys: Seq[Expression]): Distribution = ClusteredDistribution(keys)

  override def conjuncts(condition: Expression): Seq[Expression] = splitConjunctivePredicates(condition)

  override def replaceAliases(e: Expression, project: Project): Expression = replaceAlias(e, getAliasMap(project))

  override def canBroadcast(plan: LogicalPlan): Boolean = canBroadcastBySize(plan, SQLConf.get)

  /** 4.0 has neither of the two commands. */
  override def expressionsKept(command: LogicalPlan): Seq[Expression] = command match {
    case add: AddCheckConstraint      => Seq(add.checkConstraint)
    case create: CreateStreamingTable => create.columns.flatMap(_.defaultValue).map(_.child)
    case _                            => Nil
  }

  /** Tables of 4.0 have no constraints. */
  override def checkConstraints(command: LogicalPlan): Seq[String] =
    command.productIterator.collect { case spec: TableSpec => spec.constraints }.toSeq.flatten.collect {
      case check: Check => check.predicateSql
    }
}
