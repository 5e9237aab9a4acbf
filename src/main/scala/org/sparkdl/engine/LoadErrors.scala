package org.sparkdl.engine

import java.nio.file.NoSuchFileException

import org.sparkdl.Version
import org.sparkdl.errors.{InvalidModelException, ModelNotFoundException}
import org.sparkdl.runtime.{TfException, TfOutput}
import org.sparkdl.tensor.TensorSpec

/** Why a model cannot be loaded, with its name, and what is in the log of an executor that dies meanwhile. */
private[engine] object LoadErrors {

  /** For the log, because a process that the system ends says nothing. */
  def before(shipped: ShippedModel): String = {
    val dies = if (shipped.memory.suffices) "" else s". If it dies now, ${shipped.memory.remedy}"
    s"Loading: ${shipped.memory.describe(shipped.name)}$dies."
  }

  /** The same kind of error, because Spark ends an executor that has had one. */
  def outOfMemory(shipped: ShippedModel, cause: OutOfMemoryError): OutOfMemoryError = {
    val error = new OutOfMemoryError(
      s"${cause.getMessage}, while model '${shipped.name}' was loaded. ${shipped.memoryRemedy}, or a larger " +
        "spark.executor.memory if the heap was full."
    )
    error.initCause(cause)
    error
  }

  def otherSignature(model: String, said: TensorSpec, found: TfOutput): InvalidModelException = {
    val dtype = found.dtype.fold(s"of TF_DataType ${found.dtypeCode}")(_.name)
    new InvalidModelException(
      s"The signature of model '$model' says that '${said.name}' is ${said.typeString}, but the graph's tensor " +
        s"'${said.tensor}' is $dtype ${TensorSpec.shapeString(Option(found.shape).map(_.toSeq))}. Signature and graph " +
        "do not belong together: make the bundle or the SavedModel again."
    )
  }

  def onlyOnFirstGpu(model: String): InvalidModelException = new InvalidModelException(
    s"SavedModel '$model' is applied as it is, which TensorFlow does on the first GPU of a process only, and this task was " +
      "given another one. Give each executor one GPU (spark.executor.resource.gpu.amount=1), or make a bundle of the model " +
      "(sparkdl.save_bundle)."
  )

  def gone(model: String, cause: NoSuchFileException): ModelNotFoundException = new ModelNotFoundException(
    s"'${cause.getFile}' of model '$model' is gone. The files of a model have to stay where they are for as long as a " +
      "DataFrame, a stage or a function has the model, and are read when jobs start: put them back, or load the model " +
      "from where it is now.",
    cause
  )

  def refused(shipped: ShippedModel, tensorflow: String, cause: TfException): Throwable =
    if (cause.isOutOfMemory) outOfMemory(shipped, new OutOfMemoryError(cause.getMessage))
    else
      new InvalidModelException(
        s"TensorFlow $tensorflow cannot load model '${shipped.name}' (${shipped.hash.take(12)}): ${cause.getMessage}. " +
          s"Export it for TensorFlow ${Version.tensorflow} without custom operations.",
        cause
      )
}
