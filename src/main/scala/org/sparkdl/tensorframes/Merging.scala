package org.sparkdl.tensorframes

import org.apache.spark.sql.{DataFrame, RelationalGroupedDataset, Row}
import org.apache.spark.sql.sparkdl.frames.GroupedRows
import org.apache.spark.sql.sparkdl.nodes.MergedFrames
import org.apache.spark.sql.types.StructField

import org.sparkdl.Sessions
import org.sparkdl.engine.EngineSettings
import org.sparkdl.errors.SparkDLException
import org.sparkdl.graph.RowGraphs
import org.sparkdl.merging.{ReduceStep, Reduction}
import org.sparkdl.model.ModelDefinition
import org.sparkdl.tensor.TensorSpec

/** The reductions: rows are merged into one, by a program over a block of them or over two. */
private[tensorframes] object Merging {

  /** All rows merged, as a DataFrame of one row, or of none when there are none. */
  def blocks(df: DataFrame, program: Program, options: BlockOptions): DataFrame = {
    val (reduction, inputs) = ofBlocks("reduce_blocks", df, program, options)
    MergedFrames.reduce(df, reduction, inputs)
  }

  /** Like `blocks`, two rows at a time. */
  def rows(df: DataFrame, program: Program, options: BlockOptions): DataFrame = {
    val (reduction, inputs) = ofPairs(df, program, options)
    MergedFrames.reduce(df, reduction, inputs)
  }

  /** The rows of each group merged: the keys, then the outputs in the order of their names. */
  def groups(grouped: RelationalGroupedDataset, program: Program, options: BlockOptions): DataFrame = {
    val (reduction, inputs) = ofBlocks("aggregate", GroupedRows.frameOf(grouped), program.sorted, options)
    val result = MergedFrames.aggregate(grouped, reduction, inputs)
    val keys = FrameSchema(result, "aggregate").schema.dropRight(reduction.columns.size).map(_.name)
    keys.intersect(reduction.columns).foreach { k =>
      throw new SparkDLException(s"aggregate: '$k' is a key and an output; rename the key (groupBy(col.as(...))).")
    }
    result
  }

  /** The one row of a reduction. */
  def only(reduced: DataFrame, operation: String): Row = reduced
    .collect()
    .headOption
    .getOrElse(
      throw new SparkDLException(
        s"$operation: the DataFrame has no rows (perhaps because invalid ones were left out), and there is no result " +
          "without any: expected at least one. Check it with isEmpty first, or use aggregate, which gives an empty DataFrame."
      )
    )

  private def ofBlocks(op: String, df: DataFrame, program: Program, options: BlockOptions) = {
    val cells = new MergedCells(op, program, df)
    val merged = cells.blocks
    val one = ModelDefinition(cells.name, program.files, merged.flatMap(_.inputs), merged.map(_.output))
    (reduction(df, merged, ReduceStep.Blocks(one, lifted(cells, merged)), options), merged.map(_.column))
  }

  private def ofPairs(df: DataFrame, program: Program, options: BlockOptions) = {
    val cells = new MergedCells("reduce_rows", program, df)
    val merged = cells.pairs
    val (model, oneByOne) = toBlocks(cells, merged)
    (reduction(df, merged, ReduceStep.Pairs(model, oneByOne), options), merged.map(_.column))
  }

  private def reduction(
      df: DataFrame,
      merged: Seq[Merged],
      step: ReduceStep,
      options: BlockOptions
  ): Reduction = {
    val settings = Sessions.settingsOf(df.sparkSession)
    Reduction(
      columns = merged.map(_.output.name),
      step = step,
      block = options.blockSizeIn(df.sparkSession),
      precision = settings.precision,
      handleInvalid = options.policy,
      engine = EngineSettings.of(settings)
    )
  }

  /** The program over groups of equal size; None where it cannot run over several. */
  private def lifted(cells: MergedCells, merged: Seq[Merged]): Option[ModelDefinition] =
    Some(toBlocks(cells, merged)).collect { case (model, false) => model }

  /** The program with one more dimension in front, and whether that must be 1. */
  private def toBlocks(cells: MergedCells, merged: Seq[Merged]): (ModelDefinition, Boolean) = {
    val inputs = merged.map(_.inputs).transpose.flatten // all first rows, then all second ones
    val graph = cells.program.graph
    val part = graph.restricted(inputs, cells.program.tensors)
    val lifted = RowGraphs.toBlocks(graph.runtime, part, inputs, merged.map(_.output))
    ModelDefinition(cells.name, graph.files(lifted.graphDef), lifted.inputs, lifted.outputs) -> lifted.oneByOne
  }
}

/** One column that is merged.
  *
  * @param inputs
  *   the placeholder of a block of cells, or those of two cells
  * @param output
  *   the merged cell
  */
final private[tensorframes] case class Merged(inputs: Seq[TensorSpec], output: TensorSpec, column: String)

/** Finds which placeholders take the cells of which output, and checks that outputs can be fed again. */
final private[tensorframes] class MergedCells(operation: String, val program: Program, df: DataFrame) {
  private val binding = new Binding(operation, program, df)

  def name: String = binding.name

  /** For programs over a block: the placeholder `x_input`, or one that is named or fed like the output. */
  def blocks: Seq[Merged] = {
    val takers = program.outputs.map(o => Seq(blockOf(o)))
    requireNoOther(takers.flatten, "x_input (or one that is fed from column x)")
    takers.flatten.foreach(p => p.fixedBatch.foreach(fixed(p, _)))
    merged(takers, (p, c) => binding.bindBlock(p, c), _.block())
  }

  /** For programs over two rows: the placeholders `x_1` and `x_2`. */
  def pairs: Seq[Merged] = {
    val takers = program.outputs.map(o => Seq(1, 2).map(i => pairOf(o, i)))
    requireNoOther(takers.flatten, "x_1 and x_2")
    takers.zip(program.outputs).foreach { case (Seq(a, b), o) =>
      if (columnOf(o, a) != columnOf(o, b)) failDifferent(o, a, b)
    }
    merged(takers, (p, c) => binding.bindRow(p, c), _.row)
  }

  private def merged(
      takers: Seq[Seq[TensorSpec]],
      bind: (TensorSpec, StructField) => BoundInput,
      spec: BoundInput => TensorSpec
  ): Seq[Merged] = {
    val bound = takers.zip(program.outputs).map { case (ps, o) => ps.map(p => bind(p, columnOf(o, p))) }
    val outputs = binding.outputs(bound.flatten.map(spec))
    bound.zip(outputs).map { case (inputs, output) =>
      val cell = inputs.foldLeft(output)(sameCell)
      Merged(inputs.map(i => spec(i.copy(cell = cell.shape.get))), cell, inputs.head.column.name)
    }
  }

  /** An output must be a cell like the input's; its shape is what both tell. */
  private def sameCell(output: TensorSpec, input: BoundInput): TensorSpec = {
    val shape = output.shape.getOrElse(input.cell)
    val fits =
      shape.size == input.cell.size && shape.zip(input.cell).forall { case (o, i) => o < 0 || i < 0 || o == i }
    if (output.dtype != input.placeholder.dtype || !fits)
      binding.fail(
        s"output '${output.name}' is ${output.typeString}, but a cell of placeholder '${input.placeholder.name}' is " +
          s"${input.row.typeString}: expected the same dtype and shape, since results are merged again"
      )
    output.copy(shape = Some(shape.zip(input.cell).map { case (o, i) => math.max(o, i) }))
  }

  private def blockOf(output: String): TensorSpec = placeholder(s"${output}_input")
    .orElse(placeholder(output))
    .orElse(binding.placeholders.find(p => program.feeds.get(p.name).contains(output)))
    .getOrElse(
      binding.fail(
        s"output '$output' needs the placeholder '${output}_input', which takes a block of column " +
          s"'$output'; $needed"
      )
    )

  private def pairOf(output: String, i: Int): TensorSpec = placeholder(s"${output}_$i").getOrElse(
    binding.fail(
      s"output '$output' needs the placeholders '${output}_1' and '${output}_2', which take two cells of column " +
        s"'$output'; '${output}_$i' is missing; $needed"
    )
  )

  private def placeholder(name: String): Option[TensorSpec] = binding.placeholders.find(_.name == name)

  /** The column that is merged: the one that the placeholder is fed from, else that of the output's name. */
  private def columnOf(output: String, placeholder: TensorSpec): StructField = {
    val wanted = program.feeds.getOrElse(placeholder.name, output)
    if (!binding.columns.has(wanted))
      binding.fail(
        s"there is no column '$wanted' to merge into output '$output'. The DataFrame has: ${binding.columns.names}. Name " +
          "the output like its column, or feed its placeholder from another one"
      )
    binding.columns.column(wanted)
  }

  private def requireNoOther(takers: Seq[TensorSpec], rule: String): Unit = {
    val others = binding.placeholders.diff(takers).map(_.name)
    if (others.nonEmpty)
      binding.fail(
        s"the placeholders ${others.mkString(", ")} belong to no output: an output x takes $rule, and nothing else is " +
          "fed. Fetch an output for each, or make them constants"
      )
  }

  private def fixed(placeholder: TensorSpec, rows: Int): Nothing = binding.fail(
    s"placeholder '$placeholder' takes exactly $rows rows: expected an unknown first dimension (None), since any number " +
      "of rows is merged at once"
  )

  private def failDifferent(output: String, first: TensorSpec, second: TensorSpec): Nothing = binding.fail(
    s"placeholders '${first.name}' and '${second.name}' take columns '${columnOf(output, first).name}' and " +
      s"'${columnOf(output, second).name}': expected the same, since two rows of one column are merged"
  )

  private def needed: String =
    s"its outputs need: ${if (binding.placeholders.isEmpty) "none"
      else binding.placeholders.map(_.name).mkString(", ")}"
}
