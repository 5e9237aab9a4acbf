package org.sparkdl.ml

import org.apache.spark.ml.param.{IntParam, LongParam, Param, Params}

import org.sparkdl.Settings
import org.sparkdl.application.HandleInvalid
import org.sparkdl.errors.SparkDLException

/** The params of every stage that applies a model.
  *
  * Python has the same params with the same defaults and texts (`sparkdl.param`); a test compares them. A value that
  * a param cannot have is refused when it is set. Getters are here, setters in the stages, as in Spark ML: Java takes
  * `this.type` for the class that declares a method, and could not chain those of a trait.
  */
trait ModelStageParams extends Params {

  final val batchSize: IntParam = new IntParam(
    this,
    "batchSize",
    "Rows per run of the model, 1 or more; unset: the session's spark.sparkdl.batchSize.",
    (rows: Int) => StageChecks.atLeastOne("batchSize", rows)
  )

  final val precision: Param[String] = new Param(
    this,
    "precision",
    "float32 or bfloat16, for faster products of about 3 digits on CPUs that have it; unset: the session's " +
      "spark.sparkdl.precision.",
    (value: String) => StageChecks.oneOf("precision", value, Settings.precisions)
  )

  final val handleInvalid: Param[String] = new Param(
    this,
    "handleInvalid",
    "What becomes of a row that cannot be fed to the model (a null, a damaged image, an array of another length): " +
      "error (the job fails and names it), skip (the row is left out), keep (null in the new columns).",
    (policy: String) => { HandleInvalid.fromName(policy); true }
  )

  final val errorCol: Param[String] = new Param(
    this,
    "errorCol",
    "Name of a new string column for the reasons of invalid rows, which stays null unless handleInvalid is keep; " +
      "unset: no such column."
  )

  final val seed: LongParam = new LongParam(
    this,
    "seed",
    "Makes the random numbers that a model draws (in a sampling layer, or by dropout at inference) repeatable: " +
      "those of a row follow from the seed and the row's columns; unset: new numbers in every run."
  )

  setDefault(handleInvalid -> HandleInvalid.Error.name)

  def getBatchSize: Int = $(batchSize)
  def getPrecision: String = $(precision)
  def getHandleInvalid: String = $(handleInvalid)
  def getSeed: Long = $(seed)
  def getErrorCol: String = $(errorCol)
}

/** The one new column of a stage that adds one. */
trait HasOutputCol extends Params {

  final val outputCol: Param[String] = new Param(
    this,
    "outputCol",
    "Name of the new column; the DataFrame must not have it yet. Default: the stage's uid and __output."
  )

  setDefault(outputCol -> s"${uid}__output")

  def getOutputCol: String = $(outputCol)
}

/** Checks of values; they throw, because Spark's own message for a value that a check rejects gives no reason. */
private[ml] object StageChecks {

  def atLeastOne(name: String, value: Int): Boolean =
    value >= 1 || { throw new SparkDLException(s"$name must be at least 1, got $value.") }

  def heightAndWidth(name: String, size: Array[Int]): Boolean =
    (size.length == 2 && size.forall(_ >= 1)) || {
      throw new SparkDLException(s"$name is [height, width], both at least 1; got ${size.mkString("[", ", ", "]")}.")
    }

  def oneOf(name: String, value: String, allowed: Seq[String]): Boolean =
    allowed.contains(value) || {
      throw new SparkDLException(s"Unknown $name '$value'. Expected one of: ${allowed.mkString(", ")}.")
    }
}
