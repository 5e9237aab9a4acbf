package org.apache.spark.sql.sparkdl.versions

import org.apache.spark.sql.catalyst.util.UnsafeRowUtils
import org.apache.spark.sql.types.DataType

/** Since Spark 4.0 texts have collations. */
private trait Collations extends SparkApi {
  override def isEqualByBytes(kind: DataType): Boolean = UnsafeRowUtils.isBinaryStable(kind)
}
