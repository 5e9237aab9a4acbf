package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.expressions.Unevaluable

/** An expression that Spark cannot evaluate. Spark 3.5 says so itself: its methods are final. */
trait NeverEvaluated extends Unevaluable {
  protected def refuse(): Nothing
}
