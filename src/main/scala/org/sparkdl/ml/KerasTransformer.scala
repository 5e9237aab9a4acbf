package org.sparkdl.ml

import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

/** Applies a Keras model to columns.
  *
  * Input: a column per input of the model, in the order of its inputs, of a type that its dtype takes (docs/sql.md
  * has the table): numbers, strings (text), arrays, MLlib vectors. Output: a column per output, in the order of its
  * outputs; and, where predictionCol and its kin are set, the columns that Spark ML's evaluators take. Null only with
  * handleInvalid "keep".
  *
  * Cost: as for [[TFTransformer]].
  *
  * {{{
  * new KerasTransformer().setInputCol("features").setOutputCol("score").setModelFile("/models/scores").transform(df)
  * }}}
  */
class KerasTransformer(override val uid: String) extends KerasStage {
  def this() = this(Identifiable.randomUID("kerasTransformer"))

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

object KerasTransformer extends DefaultParamsReadable[KerasTransformer] {
  override def read: MLReader[KerasTransformer] = new StageReader(super.read)
  override def load(path: String): KerasTransformer = super.load(path)
}
