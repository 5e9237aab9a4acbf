package org.sparkdl.testing

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.sparkdl.nodes.ModelFrames

import org.sparkdl.Model
import org.sparkdl.application.{BlockSize, HandleInvalid}
import org.sparkdl.runtime.{DType, GraphDefs}

/** Small block programs, applied through the bridge. */
trait Programs extends SparkSuite {

  /** The outputs first, then the columns; inputs are fed by `columns`, all by default by columns of their names. */
  def mapped(
      df: DataFrame,
      program: Model,
      block: Option[BlockSize],
      columns: Seq[String] = Nil,
      invalid: HandleInvalid = HandleInvalid.Error
  ): DataFrame =
    ModelFrames.map(df, application(program, block, invalid), inputs(program, columns), program.outputs.map(_.name))

  def trimmed(
      df: DataFrame,
      program: Model,
      block: BlockSize,
      columns: Seq[String] = Nil,
      invalid: HandleInvalid = HandleInvalid.Error
  ): DataFrame =
    ModelFrames.trim(
      df,
      application(program, Some(block), invalid),
      inputs(program, columns),
      program.outputs.map(_.name)
    )

  private def inputs(program: Model, columns: Seq[String]) =
    if (columns.isEmpty) program.inputs.map(_.name) else columns

  private def application(program: Model, block: Option[BlockSize], invalid: HandleInvalid) =
    program.application(spark).copy(block = block, handleInvalid = invalid)

  private val reduction = Map("T" -> DType.Float64, "Tidx" -> DType.Int32)

  /** y = x - mean of the block. */
  def centred(cell: Long*): Model = TestModels.load(
    "centred",
    Nil,
    rows(cell)(_)
      .node("Mean", "mean", Seq("x", "axis"), reduction)
      .node("Sub", "y", Seq("x", "mean"), Map("T" -> DType.Float64))
  )

  /** total: one row per block, the sum. */
  def total(cell: Long*): Model = TestModels.load(
    "total",
    Nil,
    rows(cell)(_)
      .node("Sum", "total", Seq("x", "axis"), reduction + ("keep_dims" -> true))
  )

  /** twice: the rows, two times over. */
  def twice(cell: Long*): Model = TestModels.load(
    "twice",
    Nil,
    rows(cell)(_)
      .const("zero", DType.Int32, Seq(0), vector = false)
      .node("ConcatV2", "twice", Seq("x", "x", "zero"), Map("T" -> DType.Float64, "Tidx" -> DType.Int32, "N" -> 2L))
  )

  /** total, one row; same, as many as the block has. */
  def disagreeing: Model = TestModels.load(
    "disagreeing",
    Seq("total", "same"),
    rows(Nil)(_)
      .node("Sum", "total", Seq("x", "axis"), reduction + ("keep_dims" -> true))
      .node("Identity", "same", Seq("x"), Map("T" -> DType.Float64))
  )

  /** three: rows 1, 2, 3; no inputs. */
  def three: Model = TestModels.load("three", Seq("three"), _.const("three", DType.Float32, Seq(1, 2, 3)))

  /** n: the length of each row's array; x + x. Shapes of any length. */
  def lengths: Model = TestModels.load(
    "lengths",
    Seq("sum", "y"),
    rows(Seq(-1L), axis = 1)(_)
      .node("Sum", "sum", Seq("x", "axis"), reduction)
      .node("AddV2", "y", Seq("x", "x"), Map("T" -> DType.Float64))
  )

  private def rows(cell: Seq[Long], axis: Int = 0)(g: GraphDefs): GraphDefs =
    g.placeholder("x", DType.Float64, -1L +: cell).const("axis", DType.Int32, Seq(axis.toDouble))
}
