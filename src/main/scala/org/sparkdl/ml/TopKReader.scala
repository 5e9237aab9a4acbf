package org.sparkdl.ml

import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.util.GenericArrayData
import org.apache.spark.sql.types._
import org.apache.spark.unsafe.types.UTF8String

import org.sparkdl.runtime.{DType, TfTensor}
import org.sparkdl.tensor.CellReader

/** Reads the `k` largest entries of each row as array<struct<class, description, probability>>, largest first; of
  * equal ones the first class comes first.
  *
  * @param labels
  *   (class, description) of each entry; empty: both are its index
  */
private[ml] case class TopKReader(dtype: DType, k: Int, labels: Seq[(String, String)]) extends CellReader {
  override def dataType: DataType = TopKReader.dataType

  private val probabilities = CellReader.nested(dtype, 1)
  @transient private lazy val names: Array[(UTF8String, UTF8String)] =
    labels.map { case (c, d) => (UTF8String.fromString(c), UTF8String.fromString(d)) }.toArray

  override def read(tensor: TfTensor, row: Int): Any = {
    val array = probabilities.read(tensor, row).asInstanceOf[org.apache.spark.sql.catalyst.util.ArrayData]
    val values = Array.tabulate(array.numElements())(i => value(array.get(i, probabilityType)))
    val best = values.indices.toArray.sortBy(i => (-values(i), i)).take(k)
    val rows: Array[Any] = best.map(i => InternalRow(className(i), description(i), values(i)))
    new GenericArrayData(rows)
  }

  private val probabilityType = probabilities.dataType.asInstanceOf[ArrayType].elementType
  private def value(element: Any): Float = element.asInstanceOf[Number].floatValue()
  private def className(i: Int): UTF8String = if (names.isEmpty) UTF8String.fromString(i.toString) else names(i)._1
  private def description(i: Int): UTF8String = if (names.isEmpty) UTF8String.fromString(i.toString) else names(i)._2
}

private[ml] object TopKReader {
  val dataType: DataType = ArrayType(
    StructType(
      Seq(
        StructField("class", StringType, nullable = false),
        StructField("description", StringType, nullable = false),
        StructField("probability", FloatType, nullable = false)
      )
    ),
    containsNull = false
  )
}
