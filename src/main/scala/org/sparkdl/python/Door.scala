package org.sparkdl.python

import org.sparkdl.Version

/** The one object that Python calls through py4j (`sparkdl._jvm.door`).
  *
  * For what has no stage form; stages are reached as pyspark.ml's wrappers do. Arguments and results are plain: text,
  * numbers, DataFrames, Columns and java.util collections.
  */
object Door {

  /** The version of the jar, which Python compares with its own. */
  def version(): String = Version.current
}
