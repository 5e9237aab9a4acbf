package org.apache.spark.sql.sparkdl.installing

import org.apache.spark.sql.SparkSession
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.Operator
import org.apache.spark.sql.sparkdl.execution.ModelStrategy
import org.apache.spark.sql.sparkdl.frames.FramePlans
import org.apache.spark.sql.sparkdl.functions.{RefuseStored, VariableDefaults}
import org.apache.spark.sql.sparkdl.groups.{FiltersOnKeys, PushBelowReduce}
import org.apache.spark.sql.sparkdl.lifting.{FilterOneSide, LiftModelCalls}
import org.apache.spark.sql.sparkdl.moving.{
  FileNames,
  FilterByJoins,
  MoveModelsUp,
  NameOutputs,
  OptimizeModels,
  UnionsOnce
}

/** Installs the rules of the optimizer and the strategy of the planner. */
final class OperatorInstallation extends Operator {

  override def install(session: SparkSession): Unit = {
    val classic = FramePlans.classic(session)
    val methods = classic.experimental
    methods.synchronized {
      if (!methods.extraStrategies.contains(ModelStrategy)) methods.extraStrategies :+= ModelStrategy
      val missing = OperatorInstallation.rules.filterNot(methods.extraOptimizations.contains)
      if (missing.nonEmpty) methods.extraOptimizations ++= missing
    }
    InstallEverywhere.through(classic.extensions)
  }
}

private[sparkdl] object OperatorInstallation {

  /** The rules of the optimizer, in the order in which they run. */
  val rules: Seq[Rule[LogicalPlan]] =
    Seq(
      RefuseStored,
      VariableDefaults,
      FiltersOnKeys,
      RuntimeFilters,
      FilterOneSide,
      LiftModelCalls,
      FileNames,
      MoveModelsUp,
      FilterByJoins,
      UnionsOnce,
      OptimizeModels,
      NameOutputs,
      PushBelowReduce
    )
}
