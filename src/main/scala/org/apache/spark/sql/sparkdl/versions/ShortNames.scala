package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.FunctionIdentifier

/** Before Spark 4.2, temporary functions have a name of one part. */
private trait ShortNames extends SparkApi {
  override def temporaryFunction(name: String): FunctionIdentifier = FunctionIdentifier(name)
}
