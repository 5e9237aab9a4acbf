package org.sparkdl

import org.apache.spark.sql.{SparkSessionExtensions, SparkSessionExtensionsProvider}
import org.apache.spark.sql.sparkdl.installing.InstallRule

/** Installs sparkdl's operator into every session of an application:
  * `spark.sql.extensions=org.sparkdl.SparkDLExtensions`. Not needed otherwise: the operator installs itself in a
  * session at first use.
  */
final class SparkDLExtensions extends SparkSessionExtensionsProvider {
  override def apply(extensions: SparkSessionExtensions): Unit =
    extensions.injectPostHocResolutionRule(InstallRule(_))
}
