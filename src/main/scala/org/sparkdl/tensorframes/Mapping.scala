package org.sparkdl.tensorframes

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.functions.lit
import org.apache.spark.sql.sparkdl.nodes.ModelFrames

import org.sparkdl.Sessions
import org.sparkdl.application.{BlockSize, ModelApplication, OutputColumn}
import org.sparkdl.errors.SparkDLException
import org.sparkdl.graph.{FreshNames, RowGraphs}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** The maps: each row, or each block of rows, goes through a program. */
private[tensorframes] object Mapping {

  /** As many rows come out of a block as went in. */
  def blocks(df: DataFrame, program: Program, options: BlockOptions): DataFrame = {
    val binding = new Binding("map_blocks", program.sorted, df)
    binding.requireNew()
    val (inputs, rows) = boundBlocks(binding, options)
    if (inputs.isEmpty)
      binding.fail(
        "its outputs need no placeholder, so they have no rows: use a placeholder, or map_blocks with trim, which runs " +
          "once per block"
      )
    val outputs = binding.outputs(inputs.map(_.block(rows))).map(perRow(binding, _, rows))
    val application = applied(binding, df, options, inputs, outputs, rows)
    ModelFrames.map(df, application, inputs.map(_.column.name), outputs.map(_.name))
  }

  /** Any number of rows comes out of a block. */
  def trimmed(df: DataFrame, program: Program, options: BlockOptions): DataFrame = {
    val binding = new Binding("map_blocks trimmed", program.sorted, df)
    val (inputs, rows) = boundBlocks(binding, options)
    val outputs = binding.outputs(inputs.map(_.block(rows)))
    outputs.foreach(o => if (binding.rankOf(o).isEmpty) scalar(binding, o))
    if (outputs.flatMap(_.fixedBatch).distinct.size > 1)
      binding.fail(
        s"its outputs have different numbers of rows: ${outputs.mkString("; ")}. Expected the same for all"
      )
    val application = applied(binding, df, options, inputs, outputs, rows)
    ModelFrames.trim(df, application, inputs.map(_.column.name), outputs.map(_.name))
  }

  /** The program sees one row at a time, however many are run at once. One that needs no column gives each row the
    * same.
    */
  def rows(df: DataFrame, program: Program, options: BlockOptions): DataFrame = {
    val binding = new Binding("map_rows", program.sorted, df)
    binding.requireNew()
    val batch = batchOf(df, options)
    val inputs = binding.placeholders.map(p => binding.bindRow(p, binding.columnOf(p)))
    val row = inputs.map(_.row)
    val outputs = binding.outputs(row)
    outputs.foreach(binding.rankOf)
    val graph = binding.program.graph
    val part = graph.restricted(row, binding.program.tensors)

    def applied(df: DataFrame, part: Array[Byte], row: Seq[TensorSpec], columns: Seq[String]) = {
      val lifted = RowGraphs.toBlocks(graph.runtime, part, row, outputs)
      val model = ModelDefinition(binding.name, graph.files(lifted.graphDef), lifted.inputs, lifted.outputs)
      val application = of(df, model, options).copy(batchSize = if (lifted.oneByOne) 1 else batch)
      ModelFrames.map(df, application, columns, outputs.map(_.name))
    }
    if (inputs.nonEmpty) applied(df, part, row, inputs.map(_.column.name))
    else {
      val (counted, counter) = RowGraphs.counted(part)
      val column = new FreshNames(df.columns.toSeq ++ outputs.map(_.name))(counter.name)
      applied(df.withColumn(column, lit(0)), counted, Seq(counter), Seq(column)).drop(column)
    }
  }

  private def boundBlocks(binding: Binding, options: BlockOptions): (Seq[BoundInput], Long) = {
    val inputs = binding.placeholders.map(p => binding.bindBlock(p, binding.columnOf(p)))
    (inputs, fixedRows(binding, inputs, options))
  }

  /** The number of rows that the placeholders require; -1 when they take any. */
  private def fixedRows(binding: Binding, inputs: Seq[BoundInput], options: BlockOptions): Long =
    inputs.find(_.placeholder.fixedBatch.isDefined).fold(-1L) { i =>
      val n = i.placeholder.fixedBatch.get
      if (!options.blockSize.contains(BlockSize.Rows(n)))
        binding.fail(
          s"placeholder '${i.placeholder}' takes blocks of exactly $n rows, and blocks are " +
            s"${describe(options.blockSize)}: give it an unknown first dimension (None), or set the block size to $n rows"
        )
      n.toLong
    }

  private def describe(size: Option[BlockSize]): String = size match {
    case Some(BlockSize.Rows(n))   => s"of $n rows"
    case Some(BlockSize.Partition) => "whole partitions"
    case _                         => "as many rows as fit the memory of a block"
  }

  /** An output with one entry per row of its block, as far as the graph tells. */
  private def perRow(binding: Binding, output: TensorSpec, rows: Long): TensorSpec = {
    val shape = binding.rankOf(output)
    if (shape.isEmpty) scalar(binding, output)
    if (shape.head >= 0 && shape.head != rows)
      binding.fail(
        s"output '$output' has ${shape.head} rows, whatever its block has: expected one per row of the block. Compute it " +
          "from the rows, or use trim (mapBlocksTrimmed), which gives any number of rows"
      )
    output.copy(shape = Some(rows +: shape.tail))
  }

  private def scalar(binding: Binding, output: TensorSpec): Nothing = binding.fail(
    s"output '${output.name}' is a scalar (${output.typeString}): expected a first dimension of rows. Keep that " +
      "dimension, or merge the rows with reduce_blocks"
  )

  private def applied(
      binding: Binding,
      df: DataFrame,
      options: BlockOptions,
      inputs: Seq[BoundInput],
      outputs: Seq[TensorSpec],
      rows: Long
  ): ModelApplication = {
    val model = ModelDefinition(binding.name, binding.program.files, inputs.map(_.block(rows)), outputs)
    of(df, model, options).copy(block = Some(options.blockSizeIn(df.sparkSession)))
  }

  private def of(df: DataFrame, model: ModelDefinition, options: BlockOptions): ModelApplication =
    ModelApplication.of(
      Sessions.settingsOf(df.sparkSession),
      model,
      model.inputs,
      model.outputs.map(OutputColumn.nested(model, _)),
      options.policy
    )

  /** Rows per run where rows do not see each other. */
  private def batchOf(df: DataFrame, options: BlockOptions): Int = options.blockSize match {
    case None                    => Sessions.settingsOf(df.sparkSession).batchSize
    case Some(BlockSize.Rows(n)) => n
    case Some(_) =>
      throw new SparkDLException("map_rows has no blocks: leave the block size out, or give the rows of a run.")
  }
}
