package org.apache.spark.sql.sparkdl.installing

import java.util.{Collections, WeakHashMap}

import scala.collection.mutable

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.sparkdl.columns.Operator

/** Installs the operator into every session of the application that runs a query: a plan with a model may come from
  * another session, in a global temporary view. The sessions of an application share their extensions, and Spark
  * makes the rules of extensions anew for each query, before it asks a session for the rules that were added to it.
  */
private object InstallEverywhere extends Rule[LogicalPlan] {
  private type Rules = mutable.Buffer[SparkSessionExtensions#RuleBuilder]

  private val known = Collections.newSetFromMap(new WeakHashMap[SparkSessionExtensions, java.lang.Boolean])

  private lazy val optimizerRules = {
    val field = classOf[SparkSessionExtensions].getDeclaredField("optimizerRules")
    field.setAccessible(true)
    field
  }

  def through(extensions: SparkSessionExtensions): Unit = known.synchronized {
    if (!known.contains(extensions)) {
      add(extensions, { session => Operator.install(session); this })
      known.add(extensions)
    }
  }

  /** Queries of other threads go through the rules meanwhile, so a new list takes the place of the old one:
    * `injectOptimizerRule` would change the list under their hands.
    */
  private def add(extensions: SparkSessionExtensions, rule: SparkSessionExtensions#RuleBuilder): Unit = {
    val rules = optimizerRules.get(extensions).asInstanceOf[Rules]
    optimizerRules.set(extensions, rules.clone() += rule)
  }

  override def apply(plan: LogicalPlan): LogicalPlan = plan
}
