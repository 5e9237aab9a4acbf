package org.sparkdl.runtime

import com.google.protobuf.ByteString
import org.tensorflow.proto.{AttrValue, DataType, GraphDef, NodeDef, TensorProto, TensorShapeProto}

/** Writes the GraphDef of a small graph that sparkdl itself needs, node by node. */
final class GraphDefs {
  private val graph = GraphDef.newBuilder()

  /** Adds a placeholder of any shape. */
  def placeholder(name: String, dtype: DType): GraphDefs =
    node("Placeholder", name, Nil, Map("dtype" -> dtype))

  /** Adds a placeholder of a shape; -1 = unknown dimension. */
  def placeholder(name: String, dtype: DType, shape: Seq[Long]): GraphDefs =
    node("Placeholder", name, Nil, Map("dtype" -> dtype, "shape" -> shape))

  /** Adds a constant vector, or a scalar when `vector` is false. */
  def const(name: String, dtype: DType, values: Seq[Double], vector: Boolean = true): GraphDefs = {
    val tensor = TensorProto.newBuilder().setDtype(DataType.forNumber(dtype.code))
    val shape = TensorShapeProto.newBuilder()
    if (vector) shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(values.size.toLong))
    tensor.setTensorShape(shape)
    values.foreach(v => if (dtype == DType.Int32) tensor.addIntVal(v.toInt) else tensor.addFloatVal(v.toFloat))
    node("Const", name, Nil, Map("dtype" -> dtype, "value" -> tensor.build()))
  }

  /** Adds an operation; attributes that are not given keep TensorFlow's defaults.
    *
    * @param attributes
    *   values of type Long, Boolean, String, DType, TensorProto or Seq[Long] (a shape)
    */
  def node(op: String, name: String, inputs: Seq[String], attributes: Map[String, Any] = Map.empty): GraphDefs = {
    val node = NodeDef.newBuilder().setOp(op).setName(name)
    inputs.foreach(node.addInput)
    attributes.foreach { case (key, value) => node.putAttr(key, attribute(value)) }
    graph.addNode(node)
    this
  }

  /** The serialized GraphDef, for [[TfGraph.fromBytes]]. */
  def toBytes: Array[Byte] = graph.build().toByteArray

  private def attribute(value: Any): AttrValue = {
    val attr = AttrValue.newBuilder()
    value match {
      case v: Long        => attr.setI(v)
      case v: Boolean     => attr.setB(v)
      case v: String      => attr.setS(ByteString.copyFromUtf8(v))
      case v: TensorProto => attr.setTensor(v)
      case v: DType       => attr.setType(DataType.forNumber(v.code))
      case dims: Seq[_] =>
        val shape = TensorShapeProto.newBuilder()
        dims.foreach(d => shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(d.asInstanceOf[Long])))
        attr.setShape(shape)
      case other => throw new IllegalArgumentException(s"no attribute of type ${other.getClass.getName}")
    }
    attr.build()
  }
}
