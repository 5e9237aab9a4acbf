package org.sparkdl.graph

import scala.util.Random

import org.apache.spark.unsafe.Platform
import org.scalatest.Assertions._
import org.tensorflow.proto.GraphDef

import org.sparkdl.runtime.{DType, GraphDefs, SessionConfig, TfGraph, TfSession, TfTensor}
import org.sparkdl.tensor.TensorSpec
import org.sparkdl.testing.TestRuntime.runtime

/** One value: its shape and its elements, row-major. */
final case class Value(dtype: DType, shape: Seq[Long], elements: Seq[Any]) {

  def tensor: TfTensor =
    if (dtype == DType.Str) TfTensor.strings(runtime, elements.map(_.toString.getBytes).toArray, shape.toArray)
    else {
      val t = TfTensor.allocate(runtime, dtype, shape.toArray)
      elements.zipWithIndex.foreach { case (e, i) => put(t.address + i * dtype.size, e) }
      t
    }

  private def put(address: Long, element: Any): Unit = element match {
    case v: Float   => Platform.putFloat(null, address, v)
    case v: Double  => Platform.putDouble(null, address, v)
    case v: Int     => Platform.putInt(null, address, v)
    case v: Long    => Platform.putLong(null, address, v)
    case v: Boolean => Platform.putBoolean(null, address, v)
    case other      => throw new IllegalArgumentException(other.toString)
  }
}

object Value {
  def read(t: TfTensor): Value = {
    def at(i: Long): Any = {
      val a = t.address + i * t.dtype.size
      t.dtype match {
        case DType.Float32 => Platform.getFloat(null, a)
        case DType.Float64 => Platform.getDouble(null, a)
        case DType.Int32   => Platform.getInt(null, a)
        case DType.Int64   => Platform.getLong(null, a)
        case DType.Bool    => Platform.getBoolean(null, a)
        case DType.Str     => new String(t.stringAt(i))
        case other         => throw new IllegalArgumentException(other.toString)
      }
    }
    try Value(t.dtype, t.shape.toSeq, (0L until t.elements).map(at))
    finally t.close()
  }

  /** Values in the same place of rows, as one with a dimension of rows in front. */
  def stack(rows: Seq[Value]): Value =
    Value(rows.head.dtype, rows.size.toLong +: rows.head.shape, rows.flatMap(_.elements))

  def random(dtype: DType, shape: Seq[Long], random: Random): Value = {
    def element: Any = dtype match {
      case DType.Float32 => (random.nextInt(40) - 15) / 8f
      case DType.Float64 => (random.nextInt(40) - 15) / 8d
      case DType.Int32   => random.nextInt(3)
      case DType.Int64   => random.nextInt(3).toLong
      case DType.Bool    => random.nextBoolean()
      case _             => Seq("a", "Some text", "12", "")(random.nextInt(4))
    }
    Value(dtype, shape, Seq.fill(shape.product.toInt)(element))
  }
}

/** An input: name, dtype, the shape that the graph knows, the shape of the values. */
final case class In(name: String, dtype: DType, declared: Seq[Long], actual: Seq[Long])

object In {
  def apply(name: String, dtype: DType, shape: Long*): In = new In(name, dtype, shape, shape)

  /** An input of which the graph does not know all dimensions. */
  def open(name: String, dtype: DType, declared: Seq[Long], actual: Seq[Long]): In =
    new In(name, dtype, declared, actual)
}

/** How a graph was lifted. */
sealed trait Way
case object Vectorised extends Way
case object Mapped extends Way
case object OneByOne extends Way

/** Runs graphs row by row, and lifted to blocks, and compares. */
trait Lifting {

  def wayOf(block: BlockGraph): Way =
    if (block.oneByOne) OneByOne
    else {
      val nodes = GraphDef.parseFrom(block.graphDef).getNodeList
      if (nodes.stream().anyMatch(_.getOp == "MapDefun")) Mapped else Vectorised
    }

  def run(graphDef: Array[Byte], fetches: Seq[String], feeds: Seq[Seq[(String, Value)]]): Seq[Seq[Value]] = {
    val graph = TfGraph.fromBytes(runtime, graphDef)
    try {
      val session = TfSession.open(runtime, graph, SessionConfig())
      val names = feeds.head.map(_._1)
      val run = session.prepare(names.map(graph.output(_).get), fetches.map(graph.output(_).get))
      try
        feeds.map { values =>
          val in = values.map(_._2.tensor).toArray
          try run(in).toSeq.map(Value.read)
          finally in.foreach(_.close())
        }
      finally session.close()
    } finally graph.close()
  }

  private def specs(inputs: Seq[In]) =
    inputs.map(i => TensorSpec(i.name, s"${i.name}:0", i.dtype, Some(i.declared)))

  def lift(graph: Array[Byte], inputs: Seq[In], outputs: Seq[String]): BlockGraph = {
    val fetched = TfGraph.fromBytes(runtime, graph)
    try {
      val out = outputs.map(o => TensorSpec(o, o, fetched.output(o).get.dtype.get, None))
      RowGraphs.toBlocks(runtime, graph, specs(inputs), out)
    } finally fetched.close()
  }

  /** Runs the graph on random rows both ways; fails when they differ. Returns the way that was found. */
  def check(inputs: Seq[In], outputs: Seq[String], rows: Int = 4, seed: Int = 7)(
      build: GraphDefs => GraphDefs
  ): Way =
    checkGraph(
      build(inputs.foldLeft(new GraphDefs)((g, i) => g.placeholder(i.name, i.dtype, i.declared))).toBytes,
      inputs,
      outputs,
      rows,
      seed
    )

  def checkGraph(graph: Array[Byte], inputs: Seq[In], outputs: Seq[String], rows: Int = 4, seed: Int = 7): Way = {
    val random = new Random(seed)
    val values = Seq.fill(rows)(inputs.map(i => i.name -> Value.random(i.dtype, i.actual, random)))
    val block = lift(graph, inputs, outputs)
    compare(block, rowByRow(graph, outputs, values), values)
    wayOf(block)
  }

  /** Runs the row graph; an output that is an input is taken from what was fed. */
  private def rowByRow(graph: Array[Byte], outputs: Seq[String], values: Seq[Seq[(String, Value)]]) = {
    val fetches = outputs.distinct.filterNot(values.head.map(_._1).contains)
    run(graph, fetches, values).zip(values).map { case (found, fed) =>
      outputs.map((fetches.zip(found) ++ fed).toMap)
    }
  }

  def compare(block: BlockGraph, expected: Seq[Seq[Value]], values: Seq[Seq[(String, Value)]]): Unit = {
    val batches = if (block.oneByOne) values.map(Seq(_)) else Seq(values)
    val feeds = batches.map(b => b.head.indices.map(i => b.head(i)._1 -> Value.stack(b.map(_(i)._2))))
    val found = run(block.graphDef, block.outputs.map(_.tensor).distinct, feeds)
    val names = block.outputs.map(_.tensor).distinct
    for ((spec, o) <- block.outputs.zipWithIndex; (batch, b) <- expected.grouped(batches.head.size).zipWithIndex)
      assertClose(spec, Value.stack(batch.map(_(o))), found(b)(names.indexOf(spec.tensor)))
  }

  private def assertClose(spec: TensorSpec, expected: Value, found: Value): Unit = {
    assert(found.dtype == expected.dtype && found.shape == expected.shape, s"at output $spec")
    spec.shape.foreach { dims =>
      assert(dims.size == found.shape.size && dims.zip(found.shape).forall { case (d, n) => d < 0 || d == n }, spec)
    }
    expected.elements.zip(found.elements).foreach {
      case (a: Float, b: Float)   => assert(near(a.toDouble, b.toDouble, 1e-4), s"$a, $b at output $spec")
      case (a: Double, b: Double) => assert(near(a, b, 1e-9), s"$a, $b at output $spec")
      case (a, b)                 => assert(a == b, s"at output $spec")
    }
  }

  private def near(a: Double, b: Double, tolerance: Double) =
    a == b || (a.isNaN && b.isNaN) || math.abs(a - b) <= tolerance * math.max(1, math.max(math.abs(a), math.abs(b)))
}
