package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.FunctionIdentifier

/** Since Spark 4.2, names of temporary functions have the three parts that SQL may write. */
private trait FullNames extends SparkApi {
  override def temporaryFunction(name: String): FunctionIdentifier =
    FunctionIdentifier(name, Some("session"), Some("system"))
}
