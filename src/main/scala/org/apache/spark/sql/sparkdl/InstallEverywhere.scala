package org.apache.spark.sql.sparkdl

import java.util.{Collections, WeakHashMap}

import org.apache.spark.sql.SparkSessionExtensions
import org.apache.spark.sql.catalyst.plans.logical.LogicalPlan
import org.apache.spark.sql.catalyst.rules.Rule
import org.apache.spark.sql.classic.{SparkSession => ClassicSession}

/** Installs the operator into every session of the application that runs a query: a plan with a model may come from
  * another session, in a global temporary view. The sessions of an application share their extensions, and Spark
  * makes the rules of extensions anew for each query, before it asks a session for the rules that were added to it.
  */
private object InstallEverywhere extends Rule[LogicalPlan] {
  private val known = Collections.newSetFromMap(new WeakHashMap[SparkSessionExtensions, java.lang.Boolean])

  def from(session: ClassicSession): Unit = known.synchronized {
    if (known.add(session.extensions)) session.extensions.injectOptimizerRule { other =>
      Bridge.install(other)
      this
    }
  }

  override def apply(plan: LogicalPlan): LogicalPlan = plan
}
