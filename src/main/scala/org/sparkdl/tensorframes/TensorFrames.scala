package org.sparkdl.tensorframes

import org.apache.spark.sql.{DataFrame, RelationalGroupedDataset, Row}

import org.sparkdl.tensorframes.dsl.{ColumnPlaceholders, Operation}

/** TensorFlow programs over the columns of any DataFrame.
  *
  * A program takes each row's value (a cell) or a block: the cells of many rows, stacked, with the rows as first
  * dimension. In Scala, `import org.sparkdl.tensorframes._` gives DataFrames the same methods; this is also the form
  * for Java.
  *
  * All but `reduceBlocks`, `reduceRows` and `analyze` are lazy. What the schema shows to be wrong throws immediately
  * (SchemaMismatchException, InvalidModelException), before a job starts.
  */
object TensorFrames {

  /** Runs a program on blocks of rows: its outputs, in the order of their names, then the DataFrame's columns.
    *
    * Input: a placeholder `[None] + cell` per column, bound by name or `Program.feed`. Output: tensors with as many
    * rows as the block. The rows of a block may depend on each other.
    */
  def mapBlocks(df: DataFrame, program: Program, options: BlockOptions): DataFrame =
    Mapping.blocks(df, program, options)
  def mapBlocks(df: DataFrame, program: Program): DataFrame = mapBlocks(df, program, BlockOptions())

  /** Like `mapBlocks`, but the result has the outputs only, and these may have any number of rows (all the same). A
    * program without placeholders is run once per block.
    */
  def mapBlocksTrimmed(df: DataFrame, program: Program, options: BlockOptions): DataFrame =
    Mapping.trimmed(df, program, options)
  def mapBlocksTrimmed(df: DataFrame, program: Program): DataFrame = mapBlocksTrimmed(df, program, BlockOptions())

  /** Runs a program that is written for one row on each row: its outputs, in the order of their names, then the
    * DataFrame's columns. Cells may differ in shape from row to row. Rows are run many at once where the program
    * allows.
    */
  def mapRows(df: DataFrame, program: Program, options: BlockOptions): DataFrame = Mapping.rows(df, program, options)
  def mapRows(df: DataFrame, program: Program): DataFrame = mapRows(df, program, BlockOptions())

  /** Merges all rows into one. Output `x` merges column `x`: placeholder `x_input`, `[None] + cell`, gives a cell.
    *
    * The merge must be associative: results are merged again. Other columns do not matter. A DataFrame of one row
    * gives that row; one without rows is a SparkDLException. Output: a row with a field per output, in the program's
    * order. Cost: partial results are shuffled, a row per partition.
    */
  def reduceBlocks(df: DataFrame, program: Program, options: BlockOptions): Row =
    Merging.only(reducedBlocks(df, program, options), "reduceBlocks (reduce_blocks)")
  def reduceBlocks(df: DataFrame, program: Program): Row = reduceBlocks(df, program, BlockOptions())

  /** Like `reduceBlocks`, for a program that merges two rows: placeholders `x_1` and `x_2` of a cell's shape give
    * output `x`.
    */
  def reduceRows(df: DataFrame, program: Program, options: BlockOptions): Row =
    Merging.only(reducedRows(df, program, options), "reduceRows (reduce_rows)")
  def reduceRows(df: DataFrame, program: Program): Row = reduceRows(df, program, BlockOptions())

  /** Merges the rows of each group into one, with a program as `reduceBlocks` takes: the keys, then the outputs in
    * the order of their names.
    */
  def aggregate(grouped: RelationalGroupedDataset, program: Program, options: BlockOptions): DataFrame =
    Merging.groups(grouped, program, options)
  def aggregate(grouped: RelationalGroupedDataset, program: Program): DataFrame =
    aggregate(grouped, program, BlockOptions())

  /** Looks at all rows once and records the shapes of the columns in their metadata; columns without a null are no
    * longer nullable (should the source change, a null in them ends the job).
    *
    * Programs run without it; it records shapes that types do not show, such as the lengths of arrays.
    */
  def analyze(df: DataFrame): DataFrame = Analysis.analyze(df)

  /** Records the shape of a column without looking at the rows.
    *
    * @param shape
    *   the rows first; -1 or 0 = unknown
    */
  def appendShape(df: DataFrame, column: String, shape: Array[Int]): DataFrame =
    Shapes.append(df, column, shape.toSeq.map(_.toLong))

  /** A placeholder for blocks of a column, of its dtype and shape, for programs of [[dsl.Operation]]s.
    *
    * @param name
    *   of the placeholder; by default the column's
    */
  def block(df: DataFrame, column: String, name: String): Operation =
    ColumnPlaceholders.of(ColumnTensors.block(df, column), column, Some(name))
  def block(df: DataFrame, column: String): Operation =
    ColumnPlaceholders.of(ColumnTensors.block(df, column), column, None)

  /** Like `block`, for the value of one row. */
  def row(df: DataFrame, column: String, name: String): Operation =
    ColumnPlaceholders.of(ColumnTensors.row(df, column), column, Some(name))
  def row(df: DataFrame, column: String): Operation =
    ColumnPlaceholders.of(ColumnTensors.row(df, column), column, None)

  /** The schema with the tensor of each column, for people: "x: array (nullable = false) double[?,2]". */
  def explainTensors(df: DataFrame): String = Shapes.explain(df)

  /** What `reduceBlocks` collects. */
  private[sparkdl] def reducedBlocks(df: DataFrame, program: Program, options: BlockOptions): DataFrame =
    Merging.blocks(df, program, options)

  /** What `reduceRows` collects. */
  private[sparkdl] def reducedRows(df: DataFrame, program: Program, options: BlockOptions): DataFrame =
    Merging.rows(df, program, options)
}
