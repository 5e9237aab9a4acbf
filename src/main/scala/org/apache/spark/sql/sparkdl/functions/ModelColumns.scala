package org.apache.spark.sql.sparkdl.functions

import org.apache.spark.sql.Column
import org.apache.spark.sql.classic.ExpressionUtils
import org.apache.spark.sql.sparkdl.columns.Operator

import org.sparkdl.application.ModelApplication

/** Models applied to columns, as columns, which take what the functions take: a column per input, or a struct. */
object ModelColumns {

  def of(application: ModelApplication, arguments: Seq[Column]): Column = {
    Operator.installInActiveSession()
    ExpressionUtils.column(
      ModelFunction(application.model.name, application, Map.empty, arguments.map(ExpressionUtils.expression))
    )
  }
}
