package org.sparkdl.image

import org.apache.spark.ml.image.{ImageSchema => SparkSchema}
import org.apache.spark.sql.types.{BinaryType, DataType, StructType}

/** Which columns hold images. */
object ImageTypes {

  /** Encoded bytes, or Spark's image struct whatever its nullability. */
  def isImage(dataType: DataType): Boolean = dataType == BinaryType || isStruct(dataType)

  /** Spark's image struct, whatever its nullability. */
  def isStruct(dataType: DataType): Boolean = dataType match {
    case s: StructType => s.map(f => (f.name, f.dataType)) == SparkSchema.columnSchema.map(f => (f.name, f.dataType))
    case _             => false
  }
}
