package org.sparkdl.ml

import org.apache.spark.ml.param.{DoubleArrayParam, Param, Params}

import org.sparkdl.errors.SparkDLException

/** The columns that Spark ML's evaluators take, and what they are made of. */
trait HasPredictions extends Params {

  final val predictionCol: Param[String] = new Param(
    this,
    "predictionCol",
    "Name of a new column of predictions (double): the output's number, or the index of the predicted class; unset or " +
      "empty: no such column."
  )

  final val probabilityCol: Param[String] = new Param(
    this,
    "probabilityCol",
    "Name of a new column with the probabilities of all classes (vector); unset or empty: no such column."
  )

  final val rawPredictionCol: Param[String] = new Param(
    this,
    "rawPredictionCol",
    "Name of a new column with what the model gives for all classes, logits or probabilities (vector); unset or empty: " +
      "no such column."
  )

  final val predictedLabelCol: Param[String] = new Param(
    this,
    "predictedLabelCol",
    "Name of a new column with the label of the predicted class (string), where the model has labels; unset or empty: " +
      "no such column."
  )

  final val predictionOutput: Param[String] = new Param(
    this,
    "predictionOutput",
    "Name of the output that predictions are made of; unset: the only one."
  )

  final val thresholds: DoubleArrayParam = new DoubleArrayParam(
    this,
    "thresholds",
    "A number per class, all above 0 except for one at most: the class with the largest probability / threshold is " +
      "predicted; unset: the most probable one.",
    (values: Array[Double]) => HasPredictions.checked(values)
  )

  def getPredictionCol: String = $(predictionCol)
  def getProbabilityCol: String = $(probabilityCol)
  def getRawPredictionCol: String = $(rawPredictionCol)
  def getPredictedLabelCol: String = $(predictedLabelCol)
  def getPredictionOutput: String = $(predictionOutput)
  def getThresholds: Array[Double] = $(thresholds)

  /** The params whose columns have a name, in the order in which Spark ML adds such columns. */
  private[ml] def namedPredictions: Seq[Param[String]] =
    Seq(rawPredictionCol, probabilityCol, predictionCol, predictedLabelCol).filter(get(_).exists(_.nonEmpty))
}

private object HasPredictions {

  private def checked(values: Array[Double]): Boolean =
    values.forall(_ >= 0) && values.count(_ == 0) <= 1 || {
      throw new SparkDLException(
        s"thresholds must be above 0, except for one at most, which may be 0; got ${values.mkString("[", ", ", "]")}."
      )
    }
}
