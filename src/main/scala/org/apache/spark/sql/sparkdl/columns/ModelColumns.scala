package org.apache.spark.sql.sparkdl.columns

import org.apache.spark.sql.Column
import org.apache.spark.sql.classic.ExpressionUtils

import org.sparkdl.application.ModelApplication

/** Models applied to columns, as columns. */
object ModelColumns {

  def of(application: ModelApplication, inputs: Seq[Column]): Column = {
    Operator.installInActiveSession()
    ExpressionUtils.column(ModelCall(application, inputs.map(ExpressionUtils.expression)))
  }
}
