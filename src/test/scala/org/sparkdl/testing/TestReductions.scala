package org.sparkdl.testing

import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.engine.EngineSettings
import org.sparkdl.merging.{ReduceStep, Reduction}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.runtime.{DType, GraphDefs}

/** Small reductions, written node by node, as they are after their graphs were made for many rows. */
object TestReductions {

  /** Each column merged by one of TensorFlow's reductions over rows, such as "Sum". */
  def blocks(columns: Seq[(String, String)], dtype: DType = DType.Float64, cell: Seq[Long] = Nil): Reduction = {
    def graph(rowsAt: Int)(g: GraphDefs): GraphDefs = {
      g.const("axis", DType.Int32, Seq(rowsAt.toDouble))
      columns.foreach { case (name, op) =>
        g.placeholder(s"${name}_input", dtype, Seq.fill(rowsAt + 1)(-1L) ++ cell)
          .node(op, name, Seq(s"${name}_input", "axis"), Map("T" -> dtype, "Tidx" -> DType.Int32))
      }
      g
    }
    ofBlocks(columns.map(_._2).mkString(" "), columns.map(_._1), graph)
  }

  def sum(column: String, cell: Seq[Long] = Nil): Reduction = blocks(Seq(column -> "Sum"), cell = cell)

  /** Means `m` of `n` rows each, merged: two outputs that depend on both inputs. */
  def mean: Reduction = ofBlocks(
    "mean",
    Seq("m", "n"),
    rowsAt =>
      g => {
        val t = Map("T" -> DType.Float64)
        g.const("axis", DType.Int32, Seq(rowsAt.toDouble))
          .placeholder("m_input", DType.Float64, Seq.fill(rowsAt + 1)(-1L))
          .placeholder("n_input", DType.Float64, Seq.fill(rowsAt + 1)(-1L))
          .node("Mul", "weighted", Seq("m_input", "n_input"), t)
          .node("Sum", "total", Seq("weighted", "axis"), t + ("Tidx" -> DType.Int32))
          .node("Sum", "n", Seq("n_input", "axis"), t + ("Tidx" -> DType.Int32))
          .node("RealDiv", "m", Seq("total", "n"), t)
      }
  )

  /** Strings joined in the order of the rows. */
  def join(column: String): Reduction = joins(Seq(column))

  def joins(columns: Seq[String], cell: Seq[Long] = Nil): Reduction = ofBlocks(
    "join",
    columns,
    rowsAt =>
      g => {
        g.const("axis", DType.Int32, Seq(rowsAt.toDouble))
        columns.foreach { c =>
          g.placeholder(s"${c}_input", DType.Str, Seq.fill(rowsAt + 1)(-1L) ++ cell)
            .node("ReduceJoin", c, Seq(s"${c}_input", "axis"))
        }
        g
      }
  )

  /** The reduction of a program whose graph cannot be run for several groups at once. */
  def withoutMany(reduction: Reduction): Reduction = reduction.step match {
    case b: ReduceStep.Blocks => reduction.copy(step = b.copy(many = None))
    case _                    => reduction
  }

  /** Products of square matrices, pair by pair. */
  def product(column: String): Reduction = pairs(
    "product",
    column,
    DType.Float64,
    Seq(2L, 2L),
    oneByOne = false,
    _.node("BatchMatMulV2", column, Seq(s"${column}_1", s"${column}_2"), Map("T" -> DType.Float64))
  )

  /** Strings joined pair by pair. */
  def joinPairs(column: String): Reduction = pairs(
    "joinPairs",
    column,
    DType.Str,
    Nil,
    oneByOne = false,
    _.node("StringJoin", column, Seq(s"${column}_1", s"${column}_2"), Map("N" -> 2L))
  )

  /** Concatenates vectors of any lengths. */
  def concat(column: String): Reduction = pairs(
    "concat",
    column,
    DType.Float64,
    Seq(-1L),
    oneByOne = true,
    _.const("axis", DType.Int32, Seq(1.0), vector = false).node(
      "ConcatV2",
      column,
      Seq(s"${column}_1", s"${column}_2", "axis"),
      Map("N" -> 2L, "T" -> DType.Float64, "Tidx" -> DType.Int32)
    )
  )

  private def pairs(
      name: String,
      column: String,
      dtype: DType,
      cell: Seq[Long],
      oneByOne: Boolean,
      merge: GraphDefs => GraphDefs
  ): Reduction = {
    def graph(g: GraphDefs) =
      merge(g.placeholder(s"${column}_1", dtype, -1L +: cell).placeholder(s"${column}_2", dtype, -1L +: cell))
    reduction(Seq(column), ReduceStep.Pairs(model(name, Seq(column), graph), oneByOne))
  }

  /** @param graph for the dimension that rows have in the inputs: 0 = one group, 1 = many */
  private def ofBlocks(name: String, columns: Seq[String], graph: Int => GraphDefs => GraphDefs): Reduction =
    reduction(
      columns,
      ReduceStep.Blocks(model(name, columns, graph(0)), Some(model(s"$name-many", columns, graph(1))))
    )

  private def reduction(columns: Seq[String], step: ReduceStep): Reduction = Reduction(
    columns,
    step,
    BlockSize.Memory(256L << 10),
    "float32",
    HandleInvalid.Error,
    EngineSettings(TestRuntime.runtime, maxMemory = 1L << 30)
  )

  private def model(name: String, outputs: Seq[String], graph: GraphDefs => GraphDefs): ModelDefinition =
    TestModels.load(name, outputs, graph).definition
}
