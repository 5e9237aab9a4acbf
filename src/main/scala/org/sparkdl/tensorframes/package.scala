package org.sparkdl

import org.apache.spark.sql.{DataFrame, RelationalGroupedDataset, Row}

import org.sparkdl.tensorframes.dsl.Operation

/** TensorFlow programs over DataFrames: `import org.sparkdl.tensorframes._`, then `df.mapBlocks(program)` or, with
  * operations of [[tensorframes.dsl]], `df.mapBlocks(df.block("x") + 3.0 named "z")`. [[tensorframes.TensorFrames]]
  * describes each of them.
  */
package object tensorframes {

  /** [[TensorFrames]] as methods of a DataFrame. */
  implicit final class TensorFrame(private val df: DataFrame) extends AnyVal {
    def mapBlocks(program: Program, options: BlockOptions = BlockOptions()): DataFrame =
      TensorFrames.mapBlocks(df, program, options)
    def mapBlocksTrimmed(program: Program, options: BlockOptions = BlockOptions()): DataFrame =
      TensorFrames.mapBlocksTrimmed(df, program, options)
    def mapRows(program: Program, options: BlockOptions = BlockOptions()): DataFrame =
      TensorFrames.mapRows(df, program, options)
    def reduceBlocks(program: Program, options: BlockOptions = BlockOptions()): Row =
      TensorFrames.reduceBlocks(df, program, options)
    def reduceRows(program: Program, options: BlockOptions = BlockOptions()): Row =
      TensorFrames.reduceRows(df, program, options)

    def mapBlocks(first: Operation, more: Operation*): DataFrame = mapBlocks(Program.of(first +: more: _*))
    def mapBlocksTrimmed(first: Operation, more: Operation*): DataFrame =
      mapBlocksTrimmed(Program.of(first +: more: _*))
    def mapRows(first: Operation, more: Operation*): DataFrame = mapRows(Program.of(first +: more: _*))
    def reduceBlocks(first: Operation, more: Operation*): Row = reduceBlocks(Program.of(first +: more: _*))
    def reduceRows(first: Operation, more: Operation*): Row = reduceRows(Program.of(first +: more: _*))
    def block(column: String): Operation = TensorFrames.block(df, column)
    def block(column: String, name: String): Operation = TensorFrames.block(df, column, name)
    def row(column: String): Operation = TensorFrames.row(df, column)
    def row(column: String, name: String): Operation = TensorFrames.row(df, column, name)

    def analyze(): DataFrame = TensorFrames.analyze(df)
    def appendShape(column: String, shape: Array[Int]): DataFrame = TensorFrames.appendShape(df, column, shape)
    def explainTensors(): String = TensorFrames.explainTensors(df)
  }

  /** [[TensorFrames]] as methods of `df.groupBy(...)`. */
  implicit final class GroupedTensorFrame(private val grouped: RelationalGroupedDataset) extends AnyVal {
    def aggregate(program: Program, options: BlockOptions = BlockOptions()): DataFrame =
      TensorFrames.aggregate(grouped, program, options)
    def aggregate(first: Operation, more: Operation*): DataFrame = aggregate(Program.of(first +: more: _*))
  }
}
