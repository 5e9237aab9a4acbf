package org.sparkdl.runtime

import com.google.protobuf.ByteString
import org.tensorflow.proto.{AttrValue, DataType, GraphDef, NodeDef, TensorProto, TensorShapeProto, VersionDef}

/** Writes the GraphDef of a small graph that sparkdl itself needs, node by node. */
final class GraphDefs {
  // Version 24 is the first in which a placeholder's shape [] is that of a scalar, and not an unknown one.
  private val graph = GraphDef.newBuilder().setVersions(VersionDef.newBuilder().setProducer(24))

  /** Adds a placeholder of any shape. */
  def placeholder(name: String, dtype: DType): GraphDefs =
    node("Placeholder", name, Nil, Map("dtype" -> dtype))

  /** Adds a placeholder of a shape; -1 = unknown dimension. */
  def placeholder(name: String, dtype: DType, shape: Seq[Long]): GraphDefs =
    node("Placeholder", name, Nil, Map("dtype" -> dtype, "shape" -> shape))

  /** Adds a constant vector, or a scalar when `vector` is false. */
  def const(name: String, dtype: DType, values: Seq[Double], vector: Boolean = true): GraphDefs =
    tensor(name, dtype, if (vector) Seq(values.size.toLong) else Nil, values)

  /** Adds a constant of any rank; `values` (numbers, booleans or strings) are row-major. */
  def tensor(name: String, dtype: DType, shape: Seq[Long], values: Seq[Any]): GraphDefs =
    node("Const", name, Nil, Map("dtype" -> dtype, "value" -> GraphDefs.tensor(dtype, shape, values)))

  /** Adds an operation; attributes that are not given keep TensorFlow's defaults.
    *
    * @param attributes
    *   what [[GraphDefs.attribute]] takes
    */
  def node(op: String, name: String, inputs: Seq[String], attributes: Map[String, Any] = Map.empty): GraphDefs = {
    graph.addNode(GraphDefs.node(op, name, inputs, attributes))
    this
  }

  /** The serialized GraphDef, for [[TfGraph.fromBytes]]. */
  def toBytes: Array[Byte] = graph.build().toByteArray
}

/** The parts of a GraphDef as protocol buffers. */
object GraphDefs {

  /** One operation. */
  def node(op: String, name: String, inputs: Seq[String], attributes: Map[String, Any] = Map.empty): NodeDef = {
    val node = NodeDef.newBuilder().setOp(op).setName(name)
    inputs.foreach(node.addInput)
    attributes.foreach { case (key, value) => node.putAttr(key, attribute(value)) }
    node.build()
  }

  /** A placeholder; -1 = unknown dimension, None = unknown rank.
    *
    * @param dtype
    *   as an attribute: it may be of a type that sparkdl has no name for
    */
  def placeholder(name: String, dtype: AttrValue, dims: Option[Seq[Long]]): NodeDef =
    withShape(node("Placeholder", name, Nil, Map("dtype" -> dtype)), dims)

  /** The placeholder with another shape. */
  def withShape(placeholder: NodeDef, dims: Option[Seq[Long]]): NodeDef =
    placeholder.toBuilder.putAttr("shape", AttrValue.newBuilder().setShape(shape(dims)).build()).build()

  /** An attribute: a Long, Boolean, String, type, tensor, Seq[Long] (a shape), or what is an attribute already. */
  def attribute(value: Any): AttrValue = value match {
    case v: AttrValue   => v
    case v: Long        => AttrValue.newBuilder().setI(v).build()
    case v: Boolean     => AttrValue.newBuilder().setB(v).build()
    case v: String      => AttrValue.newBuilder().setS(ByteString.copyFromUtf8(v)).build()
    case v: TensorProto => AttrValue.newBuilder().setTensor(v).build()
    case v: DataType    => AttrValue.newBuilder().setType(v).build()
    case v: DType       => AttrValue.newBuilder().setType(DataType.forNumber(v.code)).build()
    case dims: Seq[_]   => AttrValue.newBuilder().setShape(shape(Some(dims.map(_.asInstanceOf[Long])))).build()
    case other          => throw new IllegalArgumentException(s"no attribute of type ${other.getClass.getName}")
  }

  /** A shape; -1 = unknown dimension, None = unknown rank. */
  def shape(dims: Option[Seq[Long]]): TensorShapeProto = {
    val shape = TensorShapeProto.newBuilder().setUnknownRank(dims.isEmpty)
    dims.toSeq.flatten.foreach(d => shape.addDim(TensorShapeProto.Dim.newBuilder().setSize(d)))
    shape.build()
  }

  /** A list of integers as an attribute. */
  def ints(values: Seq[Long]): AttrValue = {
    val list = AttrValue.ListValue.newBuilder()
    values.foreach(list.addI)
    AttrValue.newBuilder().setList(list).build()
  }

  /** A list of types as an attribute. */
  def types(values: Seq[DType]): AttrValue = {
    val list = AttrValue.ListValue.newBuilder()
    values.foreach(t => list.addType(DataType.forNumber(t.code)))
    AttrValue.newBuilder().setList(list).build()
  }

  /** The value of a constant; `values` (numbers, booleans or strings) are row-major. */
  def tensor(dtype: DType, dims: Seq[Long], values: Seq[Any]): TensorProto = {
    val tensor = TensorProto.newBuilder().setDtype(DataType.forNumber(dtype.code)).setTensorShape(shape(Some(dims)))
    values.foreach(put(tensor, dtype, _))
    tensor.build()
  }

  private def put(tensor: TensorProto.Builder, dtype: DType, value: Any): Unit = (dtype, value) match {
    case (DType.Str, v)               => tensor.addStringVal(ByteString.copyFromUtf8(v.toString)); ()
    case (DType.Bool, v: Boolean)     => tensor.addBoolVal(v); ()
    case (DType.Float32, v: Number)   => tensor.addFloatVal(v.floatValue); ()
    case (DType.Float64, v: Number)   => tensor.addDoubleVal(v.doubleValue); ()
    case (DType.Int64, v: Number)     => tensor.addInt64Val(v.longValue); ()
    case (DType.UInt32, v: Number)    => tensor.addUint32Val(v.intValue); ()
    case (DType.UInt64, v: Number)    => tensor.addUint64Val(v.longValue); ()
    case (SmallIntegers(), v: Number) => tensor.addIntVal(v.intValue); ()
    case (other, v) => throw new IllegalArgumentException(s"no constant of type $other from ${v.getClass.getName}")
  }

  private object SmallIntegers {
    private val types = Set[DType](DType.Int32, DType.Int16, DType.Int8, DType.UInt8, DType.UInt16)
    def unapply(dtype: DType): Boolean = types(dtype)
  }
}
