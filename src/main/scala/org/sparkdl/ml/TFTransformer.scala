package org.sparkdl.ml

import java.util.{Map => JMap}

import scala.jdk.CollectionConverters._

import org.apache.spark.ml.param.Param
import org.apache.spark.ml.util.{DefaultParamsReadable, Identifiable, MLReader, MLWriter}

import org.sparkdl.errors.{SchemaMismatchException, SparkDLException}
import org.sparkdl.ml.TFTransformer.EveryInput
import org.sparkdl.model.{ModelDefinition, ReadOptions}
import org.sparkdl.tensor.TensorSpec

/** Applies a TensorFlow graph with any number of inputs and outputs to columns.
  *
  * Input: a column per input of the graph, or one struct with a field of its name for each, of a type that its dtype
  * takes (docs/sql.md has the table): numbers, strings, arrays nested as deep as a row's value has dimensions, MLlib
  * vectors and matrices. Output: a column per pair of outputMapping, in the order of its names. Null only with
  * handleInvalid "keep". Placeholders that no column feeds, such as `keep_prob`, get their values from `constants`.
  *
  * Cost: the model is loaded once per executor and runs batch by batch; nothing is collected or shuffled, and no pass
  * over the data comes first.
  *
  * {{{
  * new TFTransformer().setTfInputGraph("/models/scores").setInputMapping(Map("features" -> "x"))
  *   .setOutputMapping(Map("probabilities" -> "score")).transform(df)
  * }}}
  */
class TFTransformer(override val uid: String) extends TensorStage with HasConstants {
  def this() = this(Identifiable.randomUID("tfTransformer"))

  final val tfInputGraph: Param[String] = new Param(
    this,
    "tfInputGraph",
    "The graph: path of a bundle, of a SavedModel directory (its serving_default signature) or of a frozen graph (.pb)."
  )

  final val inputMapping: SortedMapParam[String] = new SortedMapParam(
    this,
    "inputMapping",
    "From the name of a column to the input that it feeds: the key of a signature, a tensor (op:0) or an operation; or " +
      "to * from the only column, a struct, whose fields feed the inputs of their names."
  )

  final val outputMapping: SortedMapParam[String] = new SortedMapParam(
    this,
    "outputMapping",
    "From an output (the key of a signature, a tensor or an operation) to the name of the new column that it becomes."
  )

  def getTfInputGraph: String = $(tfInputGraph)
  def setTfInputGraph(value: String): this.type = set(tfInputGraph, value)

  def getInputMapping: JMap[String, String] = $(inputMapping)
  def setInputMapping(value: JMap[String, String]): this.type = setInputMapping(value.asScala)
  def setInputMapping(value: scala.collection.Map[String, String]): this.type =
    set(inputMapping, SortedMapParam.sorted(value))

  def getOutputMapping: JMap[String, String] = $(outputMapping)
  def setOutputMapping(value: JMap[String, String]): this.type = setOutputMapping(value.asScala)
  def setOutputMapping(value: scala.collection.Map[String, String]): this.type =
    set(outputMapping, SortedMapParam.sorted(value))

  override private[ml] def modelParam: Param[String] = tfInputGraph
  override protected def outputParam(column: String): String = outputMapping.name

  override protected def inputsOf(model: ModelDefinition, columns: Columns): Seq[(String, TensorSpec)] =
    pairs(inputMapping) match {
      case Seq((column, EveryInput)) => everyInput(column, model, columns)
      case several =>
        several.map { case (column, input) =>
          if (input == EveryInput) throw new SchemaMismatchException(s"$label: $everyInputRule")
          column -> TensorNames.find(model.name, "input", model.inputs, input)
        }
    }

  private def everyInput(column: String, model: ModelDefinition, columns: Columns): Seq[(String, TensorSpec)] = {
    val found = columns.existing(column)
    fieldsOf(column, model, columns, "Map fields to inputs in inputMapping ('struct.field').").getOrElse(
      throw new SchemaMismatchException(
        s"$label: $everyInputRule '$column' is ${found.dataType.simpleString}."
      )
    )
  }

  private def everyInputRule: String =
    s"'$EveryInput' in inputMapping is for one struct column, which feeds all inputs by the names of its fields: map each " +
      "column or field to its input, or this one column alone."

  override protected def outputsOf(model: ModelDefinition): Seq[(String, TensorSpec)] =
    pairs(outputMapping).map { case (output, column) =>
      column -> TensorNames.find(model.name, "output", model.outputs, output)
    }

  /** Any tensor of a frozen graph can be fed and fetched. */
  override protected def readOptions: ReadOptions =
    ReadOptions(
      inputs = pairs(inputMapping).map(_._2).filterNot(_ == EveryInput),
      outputs = pairs(outputMapping).map(_._1),
      constants = constantValues
    )

  private def pairs(param: SortedMapParam[String]): Seq[(String, String)] =
    get(param).map(_.asScala.toVector.sorted).filter(_.nonEmpty).getOrElse {
      throw new SparkDLException(s"$label: ${param.name} is not set. ${param.doc}")
    }

  def setOutputMode(value: String): this.type = set(outputMode, value)
  def setConstants(value: JMap[String, Any]): this.type = setConstants(value.asScala)
  def setConstants(value: scala.collection.Map[String, Any]): this.type = set(constants, HasConstants.plain(value))
  def setBatchSize(value: Int): this.type = set(batchSize, value)
  def setPrecision(value: String): this.type = set(precision, value)
  def setHandleInvalid(value: String): this.type = set(handleInvalid, value)
  def setErrorCol(value: String): this.type = set(errorCol, value)
  def setSeed(value: Long): this.type = set(seed, value)

  override def write: MLWriter = new StageWriter(this, super.write)
}

object TFTransformer extends DefaultParamsReadable[TFTransformer] {

  /** In inputMapping: all inputs, by name. */
  private val EveryInput = "*"

  override def read: MLReader[TFTransformer] = new StageReader(super.read)
  override def load(path: String): TFTransformer = super.load(path)
}
