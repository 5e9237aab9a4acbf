package org.sparkdl

import org.apache.spark.sql.{DataFrame, RelationalGroupedDataset, Row}

/** TensorFlow programs over DataFrames: `import org.sparkdl.tensorframes._`, then `df.mapBlocks(program)`. What each
  * does is said at [[tensorframes.TensorFrames]].
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
    def analyze(): DataFrame = TensorFrames.analyze(df)
    def appendShape(column: String, shape: Array[Int]): DataFrame = TensorFrames.appendShape(df, column, shape)
    def explainTensors(): String = TensorFrames.explainTensors(df)
  }

  /** [[TensorFrames]] as methods of `df.groupBy(...)`. */
  implicit final class GroupedTensorFrame(private val grouped: RelationalGroupedDataset) extends AnyVal {
    def aggregate(program: Program, options: BlockOptions = BlockOptions()): DataFrame =
      TensorFrames.aggregate(grouped, program, options)
  }
}
