package org.sparkdl.tensorframes

import org.sparkdl.runtime.{DType, GraphDefs}

/** Small programs, written node by node. */
object TestPrograms {
  val Rows: Seq[Long] = Seq(-1L)

  def of(fetches: String*)(build: GraphDefs => GraphDefs): Program =
    Program.fromBytes(build(new GraphDefs).toBytes, fetches: _*)

  /** z = x + x */
  def doubled(dtype: DType = DType.Float64, shape: Seq[Long] = Rows): Program =
    of("z")(_.placeholder("x", dtype, shape).node("AddV2", "z", Seq("x", "x"), Map("T" -> dtype)))

  /** z = x + y */
  def sum(shape: Seq[Long] = Rows): Program = of("z")(
    _.placeholder("x", DType.Float64, shape)
      .placeholder("y", DType.Float64, shape)
      .node("AddV2", "z", Seq("x", "y"), Map("T" -> DType.Float64))
  )

  /** y = x */
  def identity(dtype: DType, shape: Seq[Long]): Program =
    of("y")(_.placeholder("x", dtype, shape).node("Identity", "y", Seq("x"), Map("T" -> dtype)))

  /** output = the sum of a block of `input` */
  def blockSum(input: String, output: String, dtype: DType = DType.Float64, shape: Seq[Long] = Rows): Program =
    of(output)(summed(_, input, output, dtype, shape))

  /** x = x_1 + x_2 */
  def pairSum(dtype: DType = DType.Float64, shape: Seq[Long] = Nil): Program = of("x")(
    _.placeholder("x_1", dtype, shape)
      .placeholder("x_2", dtype, shape)
      .node("AddV2", "x", Seq("x_1", "x_2"), Map("T" -> dtype))
  )

  /** Adds `output`, the sum of `input` over its first dimension. */
  def summed(g: GraphDefs, input: String, output: String, dtype: DType, shape: Seq[Long] = Rows): GraphDefs =
    merged("Sum", g, input, output, dtype, shape)

  /** Adds `output`, which merges `input` over its first dimension by `op`. */
  def merged(op: String, g: GraphDefs, input: String, output: String, dtype: DType, shape: Seq[Long]): GraphDefs = g
    .placeholder(input, dtype, shape)
    .const(s"$output/axis", DType.Int32, Seq(0))
    .node(op, output, Seq(input, s"$output/axis"), Map("T" -> dtype, "Tidx" -> DType.Int32))
}
