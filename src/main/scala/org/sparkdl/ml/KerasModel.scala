package org.sparkdl.ml

import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

/** A model that `KerasEstimator` (Python) has trained on columns, with the history of its training.
  *
  * Input, output and cost: as for [[KerasTransformer]], whose params it has.
  *
  * {{{
  * val model = KerasModel.load("/models/scores")
  * model.history("val_loss").min
  * model.transform(df)
  * }}}
  */
class KerasModel(override val uid: String) extends Model[KerasModel] with KerasStage with HasHistory {
  def this() = this(Identifiable.randomUID("kerasModel"))

  override def copy(extra: ParamMap): KerasModel = defaultCopy[KerasModel](extra).setParent(parent)

  def setModelFile(value: String): this.type = set(modelFile, value)
  def setInputCol(value: String): this.type = set(inputCol, value)
  def setInputCols(value: Array[String]): this.type = set(inputCols, value)
  def setOutputCols(value: Array[String]): this.type = set(outputCols, value)
  def setOutputCol(value: String): this.type = set(outputCol, value)
  def setOutputMode(value: String): this.type = set(outputMode, value)
  def setPredictionCol(value: String): this.type = set(predictionCol, value)
  def setProbabilityCol(value: String): this.type = set(probabilityCol, value)
  def setRawPredictionCol(value: String): this.type = set(rawPredictionCol, value)
  def setPredictedLabelCol(value: String): this.type = set(predictedLabelCol, value)
  def setPredictionOutput(value: String): this.type = set(predictionOutput, value)
  def setThresholds(value: Array[Double]): this.type = set(thresholds, value)
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object KerasModel extends DefaultParamsReadable[KerasModel] {
  override def read: MLReader[KerasModel] = new StageReader(super.read)
  override def load(path: String): KerasModel = super.load(path)
}
