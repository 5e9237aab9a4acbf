package org.sparkdl.tensorframes.dsl

import org.sparkdl.Sessions
import org.sparkdl.errors.SparkDLException
import org.sparkdl.runtime.{DType, GraphDefs, NativeRuntime, TfException, TfGraph}

/** Creates operations: for each, TensorFlow itself infers dtype and shape, or says why it refuses. */
private[dsl] object Factory {

  def apply(op: String, name: String, inputs: Seq[Operation], attributes: Map[String, Any] = Map.empty): Operation = {
    val (dtype, shape) = inferred(op, name, inputs, attributes)
    new Operation(op, inputs, attributes, NameScope.current, None, name, dtype, shape)
  }

  def unary(op: String, name: String, x: Operation): Operation = apply(op, name, Seq(x), Map("T" -> x.dtype))

  def binary(op: String, name: String, left: Operation, right: Operation): Operation = {
    if (left.dtype != right.dtype)
      fail(name, Seq(left, right), "both need the same dtype. Convert one of them: cast[Double](x)")
    apply(op, name, Seq(left, right), Map("T" -> left.dtype))
  }

  def placeholder(dtype: DType, dims: Seq[Long], name: String, column: Option[String]): Operation = {
    val attributes = Map("dtype" -> dtype, "shape" -> dims)
    new Operation("Placeholder", Nil, attributes, NameScope.current, column, name, dtype, Some(dims))
  }

  def constant(value: Literal, name: String): Operation = {
    val tensor = GraphDefs.tensor(value.dtype, value.shape, value.elements)
    val attributes = Map("dtype" -> value.dtype, "value" -> tensor)
    new Operation("Const", Nil, attributes, NameScope.current, None, name, value.dtype, Some(value.shape))
  }

  def ints(values: Seq[Long], name: String): Operation =
    constant(Literal(DType.Int64, Seq(values.size.toLong), values), name)

  def int(value: Long, name: String): Operation = constant(Literal(DType.Int64, Nil, Seq(value)), name)

  /** A graph of the operation alone: its inputs are placeholders of their shapes, or constants. */
  private def inferred(op: String, name: String, inputs: Seq[Operation], attributes: Map[String, Any]) = {
    val names = inputs.indices.map(i => s"input_$i")
    val defs = inputs.zip(names).foldLeft(new GraphDefs) { case (g, (in, n)) =>
      if (in.op == "Const") g.node("Const", n, Nil, in.attributes)
      else in.shape.fold(g.placeholder(n, in.dtype))(g.placeholder(n, in.dtype, _))
    }
    try {
      val graph =
        TfGraph.fromBytes(NativeRuntime.of(Sessions.settings), defs.node(op, "output", names, attributes).toBytes)
      try {
        val output = graph.output("output").get
        (output.dtype.get, Option(output.shape).map(_.toSeq))
      } finally graph.close()
    } catch { case e: TfException => fail(name, inputs, s"TensorFlow says: ${e.getMessage}") }
  }

  private def fail(name: String, inputs: Seq[Operation], why: String): Nothing =
    throw new SparkDLException(s"Cannot compute '$name' of ${inputs.mkString(" and ")}: $why.")
}
