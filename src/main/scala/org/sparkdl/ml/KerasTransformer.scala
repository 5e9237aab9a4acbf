package org.sparkdl.ml

import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

/** Applies a Keras model to columns.
  *
  * Input: a column per input of the model, in the order of its inputs, of a type that its dtype takes (docs/sql.md
  * has the table): numbers, strings (text), arrays, MLlib vectors. Output: a column per output, in the order of its
  * outputs. Null only with handleInvalid "keep".
  *
  * Cost: as of [[TFTransformer]].
  *
  * {{{
  * new KerasTransformer().setInputCol("features").setOutputCol("score").setModelFile("/models/scores").transform(df)
  * }}}
  */
class KerasTransformer(override val uid: String) extends KerasStage {
  def this() = this(Identifiable.randomUID("kerasTransformer"))

  // Java takes this.type for the class that declares a method; these let it chain.
  override def setModelFile(value: String): this.type = super.setModelFile(value)
  override def setInputCol(value: String): this.type = super.setInputCol(value)
  override def setInputCols(value: Array[String]): this.type = super.setInputCols(value)
  override def setOutputCols(value: Array[String]): this.type = super.setOutputCols(value)
  override def setOutputCol(value: String): this.type = super.setOutputCol(value)
  override def setOutputMode(value: String): this.type = super.setOutputMode(value)
  override def setBatchSize(value: Int): this.type = super.setBatchSize(value)
  override def setPrecision(value: String): this.type = super.setPrecision(value)
  override def setHandleInvalid(value: String): this.type = super.setHandleInvalid(value)
  override def setErrorCol(value: String): this.type = super.setErrorCol(value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object KerasTransformer extends DefaultParamsReadable[KerasTransformer] {
  override def read: MLReader[KerasTransformer] = new StageReader(super.read)
  override def load(path: String): KerasTransformer = super.load(path)
}
