package org.sparkdl.runtime

import org.sparkdl.errors.InvalidModelException

/** An element type of TensorFlow: its number in the C API (`tensorflow/c/tf_datatype.h`), its name, its size in
  * bytes.
  *
  * @param size
  *   bytes per element; for strings the 24 bytes of a `TF_TString`
  */
sealed abstract class DType(val code: Int, val name: String, val size: Int) extends Serializable {
  override def toString: String = name
}

object DType {
  case object Float32 extends DType(1, "float32", 4)
  case object Float64 extends DType(2, "float64", 8)
  case object Int32 extends DType(3, "int32", 4)
  case object UInt8 extends DType(4, "uint8", 1)
  case object Int16 extends DType(5, "int16", 2)
  case object Int8 extends DType(6, "int8", 1)
  case object Str extends DType(7, "string", 24)
  case object Int64 extends DType(9, "int64", 8)
  case object Bool extends DType(10, "bool", 1)
  case object BFloat16 extends DType(14, "bfloat16", 2)
  case object UInt16 extends DType(17, "uint16", 2)
  case object Float16 extends DType(19, "float16", 2)
  case object UInt32 extends DType(22, "uint32", 4)
  case object UInt64 extends DType(23, "uint64", 8)

  val all: Seq[DType] =
    Seq(Float32, Float64, Int32, UInt8, Int16, Int8, Str, Int64, Bool, BFloat16, UInt16, Float16, UInt32, UInt64)

  private val byCode = all.map(t => t.code -> t).toMap
  private val byName = all.map(t => t.name -> t).toMap

  /** The type of a number of the C API, or None where sparkdl does not know it (complex, quantised, resource). */
  def fromCode(code: Int): Option[DType] = byCode.get(code)

  /** The type of a TensorFlow name such as "float32". */
  def fromName(name: String): DType = byName.getOrElse(
    name,
    throw new InvalidModelException(
      s"Unknown tensor dtype '$name'. Expected one of: ${all.map(_.name).mkString(", ")}. Cast the tensor in the graph."
    )
  )
}
