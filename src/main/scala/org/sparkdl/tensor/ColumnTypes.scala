package org.sparkdl.tensor

import org.apache.spark.ml.linalg.SQLDataTypes.{MatrixType, VectorType}
import org.apache.spark.sql.types._

import org.sparkdl.runtime.DType

/** The one table of conversions between columns and tensors.
  *
  * {{{
  * column                       -> tensor                                  value
  * boolean                      -> bool                                    as is
  * tinyint, smallint            -> int8..int64 (not narrower), float*      as is
  * int                          -> int32, int64, float32, float64          float32 rounds above 2^24
  * bigint                       -> int64, float32, float64                 rounds above 2^24, 2^53
  * smallint, int, bigint        -> uint8                                   0..255, other values are invalid rows
  * float, double                -> float32, float64                        double to float32 rounds
  * decimal                      -> float32, float64                        rounds
  * string, binary               -> string                                  UTF-8, bytes
  * binary                       -> uint8, all dimensions but one known     raw bytes, row-major
  * array<...> (any depth)       -> one more dimension per level
  * MLlib vector                 -> float32, float64, rank 1                sparse is filled with zeros
  * MLlib matrix                 -> float32, float64, rank 2                row-major
  *
  * tensor                       -> column
  * float16, bfloat16, float32   -> float      float64 -> double      bool -> boolean     string -> string
  * int8 -> tinyint   int16 -> smallint   uint8, uint16, int32 -> int   uint32, int64 -> bigint
  * uint64 -> decimal(20,0)      rank n -> array nested n deep
  * }}}
  */
object ColumnTypes {

  /** The column type of one element of an output tensor. */
  def element(dtype: DType): DataType = dtype match {
    case DType.Float16 | DType.BFloat16 | DType.Float32 => FloatType
    case DType.Float64                                  => DoubleType
    case DType.Int8                                     => ByteType
    case DType.Int16                                    => ShortType
    case DType.UInt8 | DType.UInt16 | DType.Int32       => IntegerType
    case DType.UInt32 | DType.Int64                     => LongType
    case DType.UInt64                                   => DecimalType(20, 0)
    case DType.Bool                                     => BooleanType
    case DType.Str                                      => StringType
  }

  /** The column type of an output whose rows have `rank` dimensions. */
  def output(dtype: DType, rank: Int): DataType =
    (0 until rank).foldLeft(element(dtype))((t, _) => ArrayType(t, containsNull = false))

  /** The scalar type at the bottom of a nested array, and the number of levels. */
  def unnest(dataType: DataType): (DataType, Int) = dataType match {
    case ArrayType(e, _) => val (t, n) = unnest(e); (t, n + 1)
    case VectorType      => (DoubleType, 1)
    case MatrixType      => (DoubleType, 2)
    case t               => (t, 0)
  }

  private val floats = Set[DType](DType.Float32, DType.Float64)

  /** Whether elements of `from` may be fed to a tensor of type `to` (the table above). */
  def accepts(from: DataType, to: DType): Boolean = from match {
    case BooleanType             => to == DType.Bool
    case ByteType                => Set[DType](DType.Int8, DType.Int16, DType.Int32, DType.Int64)(to) || floats(to)
    case ShortType               => Set[DType](DType.Int16, DType.Int32, DType.Int64, DType.UInt8)(to) || floats(to)
    case IntegerType             => Set[DType](DType.Int32, DType.Int64, DType.UInt8)(to) || floats(to)
    case LongType                => Set[DType](DType.Int64, DType.UInt8)(to) || floats(to)
    case FloatType | DoubleType  => floats(to)
    case _: DecimalType          => floats(to)
    case StringType | BinaryType => to == DType.Str
    case _                       => false
  }

  /** The dtype that holds elements of `from` without loss where there is one; None for types without tensors. */
  def naturalDType(from: DataType): Option[DType] = from match {
    case BooleanType                 => Some(DType.Bool)
    case ByteType                    => Some(DType.Int8)
    case ShortType                   => Some(DType.Int16)
    case IntegerType                 => Some(DType.Int32)
    case LongType                    => Some(DType.Int64)
    case FloatType                   => Some(DType.Float32)
    case DoubleType | _: DecimalType => Some(DType.Float64)
    case StringType | BinaryType     => Some(DType.Str)
    case _                           => None
  }

  /** The column types that can be fed to `to`, for messages. */
  def acceptedBy(to: DType): String = {
    val names =
      Seq(BooleanType, ByteType, ShortType, IntegerType, LongType, FloatType, DoubleType, StringType, BinaryType)
    val accepted = names.filter(accepts(_, to)).map(_.simpleString)
    if (accepted.isEmpty) "none: cast the tensor in the graph" else accepted.mkString(", ")
  }
}
