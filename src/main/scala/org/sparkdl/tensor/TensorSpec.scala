package org.sparkdl.tensor

import org.sparkdl.runtime.DType

/** One input or output of a model.
  *
  * @param name
  *   what users call it: the signature's key
  * @param tensor
  *   its name in the graph, "op:index"
  * @param shape
  *   with the batch dimension first; -1 = unknown dimension, None = unknown rank
  */
final case class TensorSpec(name: String, tensor: String, dtype: DType, shape: Option[Seq[Long]]) {

  /** The shape of one row's value: without the batch dimension. None when the rank is unknown. */
  def cell: Option[Seq[Long]] = shape.filter(_.nonEmpty).map(_.tail)

  /** A leading dimension that is fixed in the graph; None where it takes any number of rows. */
  def fixedBatch: Option[Int] = shape.flatMap(_.headOption).filter(_ >= 0).map(_.toInt)

  /** Whether a tensor of this dtype and these dimensions can be what this says; the number of rows is not compared.
    *
    * @param dtypeCode
    *   its number in the C API
    * @param dims
    *   null when the rank is unknown; -1 for an unknown dimension
    */
  def admits(dtypeCode: Int, dims: Array[Long]): Boolean =
    dtypeCode == dtype.code && (dims == null || shape.forall { said =>
      said.length == dims.length && (1 until dims.length)
        .forall(i => said(i) < 0 || dims(i) < 0 || said(i) == dims(i))
    })

  /** e.g. "float32 [?, 224, 224, 3]". */
  def typeString: String = s"$dtype ${TensorSpec.shapeString(shape)}"

  override def toString: String = s"$name: $typeString"
}

object TensorSpec {

  /** "[?, 3]"; "[...]" for an unknown rank. */
  def shapeString(shape: Option[Seq[Long]]): String =
    shape.fold("[...]")(_.map(d => if (d < 0) "?" else d.toString).mkString("[", ", ", "]"))
}
