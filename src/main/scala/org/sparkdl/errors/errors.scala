package org.sparkdl.errors

/** The base class of what a user of sparkdl can fix: each message says what went wrong, what was expected and
  * received, and the remedy.
  *
  * It extends `IllegalArgumentException`, which is what Spark's own stages raise for wrong parameters and schemas,
  * and what callers therefore catch. Python raises classes of the same names (`sparkdl.errors`).
  */
class SparkDLException(message: String, cause: Throwable = null) extends IllegalArgumentException(message, cause)

/** A column is missing, exists already, or has another type or shape than the model's input or output. */
class SchemaMismatchException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** A model's files are unreadable, were changed, or lack the tensor or signature that was asked for. */
class InvalidModelException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** A model is not where it was looked for; the message has the command that creates it. */
class ModelNotFoundException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** One row cannot be fed to the model: a null, an undecodable image, an array of another length. */
class InvalidInputException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** TensorFlow refused to run the model on a batch. */
class ModelExecutionException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** TensorFlow's native library cannot be found or loaded on this machine. */
class NativeLibraryException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)

/** A `spark.sparkdl.*` setting has a value that is not allowed. */
class SettingsException(message: String, cause: Throwable = null) extends SparkDLException(message, cause)
