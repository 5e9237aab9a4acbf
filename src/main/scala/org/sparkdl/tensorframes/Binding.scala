package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.types.{BinaryType, StructField}

import org.sparkdl.errors.{InvalidModelException, SchemaMismatchException}
import org.sparkdl.runtime.{DType, TfException}
import org.sparkdl.tensor.{Compatibility, TensorSpec}

/** A placeholder, the column that feeds it, and the shape of a cell as far as both together tell (-1 = unknown). */
final private[tensorframes] case class BoundInput(placeholder: TensorSpec, column: StructField, cell: Seq[Long]) {

  /** The input for many rows. */
  def block(rows: Long = -1L): TensorSpec = placeholder.copy(shape = Some(rows +: cell))

  /** The input for one row. */
  def row: TensorSpec = placeholder.copy(shape = Some(cell))
}

/** Binds the placeholders of a program to columns, and checks that they go together.
  *
  * @param operation
  *   what is done with the program, such as "map_blocks"
  */
final private[tensorframes] class Binding(val operation: String, val program: Program, df: DataFrame) {

  /** The program's name in plans and messages. */
  val name: String = s"${program.outputs.mkString(", ")} ($operation)"

  val columns: FrameSchema = FrameSchema(df, s"Program '$name'")

  /** What must be fed to compute the outputs. */
  val placeholders: Seq[TensorSpec] = program.graph.placeholders(program.tensors, program.feeds.keySet)

  /** The column that feeds a placeholder, by an explicit feed or by name. */
  def columnOf(placeholder: TensorSpec): StructField = {
    val wanted = program.feeds.getOrElse(placeholder.name, placeholder.name)
    if (!columns.has(wanted)) noColumn(placeholder, wanted)
    columns.column(wanted)
  }

  /** A placeholder for blocks: its first dimension is that of the rows. */
  def bindBlock(placeholder: TensorSpec, column: StructField): BoundInput = bind(placeholder, placeholder, column)

  /** A placeholder for the value of one row. */
  def bindRow(placeholder: TensorSpec, column: StructField): BoundInput =
    bind(placeholder, placeholder.copy(shape = placeholder.shape.map(-1L +: _)), column)

  /** The outputs that the graph gives for these inputs, with their names. */
  def outputs(inputs: Seq[TensorSpec]): Seq[TensorSpec] =
    try
      program.graph.inferred(inputs, program.tensors).zip(program.fetches).map { case (s, f) =>
        s.copy(name = f.name)
      }
    catch { case e: TfException => failRefused(inputs, e) }

  /** An output's dimensions, which decide the type of its column. */
  def rankOf(output: TensorSpec): Seq[Long] = output.shape.getOrElse(
    fail(
      s"the rank of output '${output.name}' is unknown, so its column has no type: give it a shape in the graph " +
        "(tf.ensure_shape)"
    )
  )

  def requireNew(): Unit = program.outputs.filter(columns.has).foreach { o =>
    fail(
      s"the DataFrame has a column '$o' already, so an output cannot have this name: rename the output or " +
        s"drop the column. It has: ${columns.names}"
    )
  }

  def fail(why: String): Nothing = throw new SchemaMismatchException(s"Program '$name': $why.")

  /** @param rows
    *   the placeholder with the dimension of the rows in front
    */
  private def bind(placeholder: TensorSpec, rows: TensorSpec, column: StructField): BoundInput = {
    Compatibility.problem(rows, column.dataType).foreach(cannotFeed(placeholder, column, _))
    val raw = column.dataType == BinaryType && placeholder.dtype == DType.UInt8
    val known = if (raw) rows.cell.get else ColumnTensors.cell(column)
    val cell = rows.cell.fold(known)(_.zip(known).map { case (p, c) => agreed(p, c, placeholder, column) })
    BoundInput(placeholder, column, cell)
  }

  private def agreed(wanted: Long, actual: Long, placeholder: TensorSpec, column: StructField): Long =
    if (wanted < 0) actual
    else if (actual < 0 || actual == wanted) wanted
    else
      cannotFeed(
        placeholder,
        column,
        s"its cells have the shape ${TensorSpec.shapeString(Some(ColumnTensors.cell(column)))} (from its metadata: " +
          "analyze the DataFrame again if they have changed)"
      )

  private def cannotFeed(placeholder: TensorSpec, column: StructField, why: String): Nothing = fail(
    s"cannot feed column '${column.name}' to placeholder '${placeholder.name}': expected ${placeholder.typeString}, got " +
      s"${column.dataType.simpleString}; $why"
  )

  private def noColumn(placeholder: TensorSpec, wanted: String): Nothing = {
    val feeds = program.feeds.toSeq.sorted.map { case (p, c) => s"$p <- $c" }.mkString(", ")
    fail(
      s"there is no column '$wanted' for placeholder '$placeholder'. The DataFrame has: ${columns.names}; feeds: " +
        s"${if (feeds.isEmpty) "none" else feeds}. Rename a column, feed the placeholder from one (feed, feed_dict) " +
        "or give it a value (withConstants, constants)"
    )
  }

  /** Tells whether the columns are at fault or the graph. */
  private def failRefused(inputs: Seq[TensorSpec], e: TfException): Nothing =
    try {
      program.graph.inferred(placeholders, program.tensors)
      fail(s"TensorFlow refuses these shapes: ${inputs.mkString("; ")}: ${e.getMessage.stripSuffix(".")}")
    } catch {
      case _: TfException =>
        throw new InvalidModelException(
          s"TensorFlow cannot import the graph of program '$name': ${e.getMessage.stripSuffix(".")}.",
          e
        )
    }
}
