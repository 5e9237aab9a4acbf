package org.sparkdl.ml

import org.apache.spark.sql.catalyst.expressions.UnsafeArrayData
import org.apache.spark.sql.types.{ArrayType, DataType, FloatType}

import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.tensor.{CellReader, ColumnTypes}

/** Reads the numbers of each row, row-major, as array<float>, whatever their dtype: the type of a column of features
  * is known without the network.
  */
private[ml] case class FloatsReader(dtype: DType) extends NumbersReader {
  override def dataType: DataType = FloatsReader.dataType
  private val floats = if (ColumnTypes.element(dtype) == FloatType) Some(CellReader.flat(dtype)) else None

  override def read(tensor: TfTensor, row: Int): Any = floats match {
    case Some(reader) => reader.read(tensor, row)
    case None         => UnsafeArrayData.fromPrimitiveArray(numbers(tensor, row).map(_.toFloat))
  }
}

private[ml] object FloatsReader {
  val dataType: DataType = ArrayType(FloatType, containsNull = false)
}
