package org.sparkdl.ml

import org.apache.spark.ml.Model
import org.apache.spark.ml.param.ParamMap
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

/** A model that `KerasEstimator` (Python) has trained on columns, with the history of its training.
  *
  * Input, output and cost: as of [[KerasTransformer]], whose params it has.
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

object KerasModel extends DefaultParamsReadable[KerasModel] {
  override def read: MLReader[KerasModel] = new StageReader(super.read)
  override def load(path: String): KerasModel = super.load(path)
}
