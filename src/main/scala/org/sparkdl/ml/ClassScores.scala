package org.sparkdl.ml

import org.apache.spark.ml.linalg.SQLDataTypes.VectorType
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData
import org.apache.spark.sql.types.{DataType, DoubleType, StringType}
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.model.Meaning
import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.tensor.CellReader

/** How the numbers of an output become those of Spark ML's classifiers. */
private[ml] object ClassScores {

  /** A number per class, as the model gives it. */
  def raw(meaning: Meaning, numbers: Array[Double]): Array[Double] = meaning match {
    case Meaning.Probability => Array(1 - numbers(0), numbers(0))
    case Meaning.Logit       => Array(-numbers(0), numbers(0))
    case _                   => numbers
  }

  /** The probability of each class. */
  def probabilities(meaning: Meaning, numbers: Array[Double]): Array[Double] = meaning match {
    case Meaning.Logit  => softmax(Array(0, numbers(0)))
    case Meaning.Logits => softmax(numbers)
    case _              => raw(meaning, numbers)
  }

  /** The class whose probability is the largest in relation to its threshold, as in Spark ML: of equal ones the
    * first.
    *
    * @param thresholds
    *   empty: all are the same
    */
  def best(probabilities: Array[Double], thresholds: Seq[Double]): Int = {
    val scaled =
      if (thresholds.isEmpty) probabilities
      else probabilities.zip(thresholds).map { case (p, t) => p / t }
    // 0 / 0 is not a number: a class that is impossible is not predicted, whatever its threshold.
    scaled.indices.maxBy(i => if (scaled(i).isNaN) Double.NegativeInfinity else scaled(i))
  }

  private def softmax(logits: Array[Double]): Array[Double] = {
    val largest = logits.max
    val powers = logits.map(l => math.exp(l - largest))
    val sum = powers.sum
    powers.map(_ / sum)
  }
}

/** Reads the numbers of a row's output. */
private[ml] trait NumbersReader extends CellReader {
  protected def dtype: DType
  private lazy val vectors = CellReader.vector(dtype)

  final protected def numbers(tensor: TfTensor, row: Int): Array[Double] =
    vectors.read(tensor, row).asInstanceOf[InternalRow].getArray(3).toDoubleArray()

  /** The struct of a dense vector of Spark ML. */
  final protected def vector(values: Array[Double]): Any =
    InternalRow(1.toByte, null, null, UnsafeArrayData.fromPrimitiveArray(values))
}

/** An output of one number, as double. */
private[ml] case class NumberReader(dtype: DType) extends NumbersReader {
  override def dataType: DataType = DoubleType
  override def read(tensor: TfTensor, row: Int): Any = numbers(tensor, row)(0)
}

/** The index of the predicted class. */
private[ml] case class ClassReader(dtype: DType, meaning: Meaning, thresholds: Seq[Double]) extends NumbersReader {
  override def dataType: DataType = DoubleType
  override def read(tensor: TfTensor, row: Int): Any = index(tensor, row).toDouble

  def index(tensor: TfTensor, row: Int): Int =
    ClassScores.best(ClassScores.probabilities(meaning, numbers(tensor, row)), thresholds)
}

/** The label of the predicted class. */
private[ml] case class LabelReader(classes: ClassReader, labels: Seq[String]) extends CellReader {
  @transient private lazy val texts = labels.map(UTF8String.fromString).toArray
  override def dataType: DataType = StringType
  override def read(tensor: TfTensor, row: Int): Any = texts(classes.index(tensor, row))
}

/** The probabilities of all classes. */
private[ml] case class ProbabilitiesReader(dtype: DType, meaning: Meaning) extends NumbersReader {
  override def dataType: DataType = VectorType
  override def read(tensor: TfTensor, row: Int): Any =
    vector(ClassScores.probabilities(meaning, numbers(tensor, row)))
}

/** What the model gives for all classes. */
private[ml] case class RawReader(dtype: DType, meaning: Meaning) extends NumbersReader {
  override def dataType: DataType = VectorType
  override def read(tensor: TfTensor, row: Int): Any = vector(ClassScores.raw(meaning, numbers(tensor, row)))
}
