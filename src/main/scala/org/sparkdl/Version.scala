package org.sparkdl

import java.util.Properties

import scala.util.Using

/** The version of sparkdl, and of what it was built with. */
object Version {
  private val properties: Properties = {
    val loaded = new Properties
    Using.resource(getClass.getResourceAsStream("/org/sparkdl/version.properties"))(loaded.load)
    loaded
  }

  /** Version of sparkdl, e.g. "0.1.0"; the Python package has the same. */
  val current: String = properties.getProperty("version")

  /** Version of TensorFlow Java in this jar. */
  val tensorflowJava: String = properties.getProperty("tensorflowJava")

  /** The platform whose native libraries the jar depends on, e.g. "linux-x86_64". */
  val nativePlatform: String = properties.getProperty("nativePlatform")
}
