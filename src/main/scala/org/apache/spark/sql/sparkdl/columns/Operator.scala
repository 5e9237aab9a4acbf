package org.apache.spark.sql.sparkdl.columns

import java.util.ServiceLoader

import org.apache.spark.sql.SparkSession

/** What a session must have before it can run models: rules of the optimizer, and the nodes of plans that they lead
  * to.
  *
  * All of these know the call, which is the first that a session sees of a model. So that the call need not know
  * them, `installing` implements this, as a service of Java (`META-INF/services`).
  */
trait Operator {

  /** Installs the operator into a session and those that come from it; doing it again changes nothing. */
  def install(session: SparkSession): Unit
}

object Operator {
  private lazy val service: Operator =
    ServiceLoader.load(classOf[Operator], classOf[Operator].getClassLoader).iterator().next()

  def install(session: SparkSession): Unit = service.install(session)

  /** Installs the operator where a column is made or analysed. */
  def installInActiveSession(): Unit = SparkSession.getActiveSession.foreach(install)
}
