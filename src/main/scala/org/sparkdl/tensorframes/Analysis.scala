package org.sparkdl.tensorframes

import org.apache.spark.ml.linalg.SQLDataTypes.{MatrixType, VectorType}
import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.SpecializedGetters
import org.apache.spark.sql.sparkdl.frames.FrameColumns
import org.apache.spark.sql.types.{ArrayType, DataType}

import org.sparkdl.errors.SparkDLException
import org.sparkdl.tensor.{ColumnTypes, ShapeMetadata}

/** Looks at all rows once, to find the shapes of the columns' cells and which columns have nulls. */
private[tensorframes] object Analysis {

  def analyze(df: DataFrame): DataFrame = {
    if (df.isStreaming)
      throw new SparkDLException(
        "analyze: a stream has no end, so not all of its rows can be looked at; use appendShape (append_shape)."
      )
    val columns = df.schema.fields.toSeq.zipWithIndex.filter(c => ColumnTensors.of(c._1).isDefined)
    val types = columns.map { case (f, i) => i -> f.dataType }
    val seen = FrameColumns.perPartition(df, "analyze")(PartitionShapes.of(_, types)).toSeq.filter(_.rows > 0)
    val metadata = columns.zipWithIndex.map { case ((field, position), i) =>
      position -> ShapeMetadata.write(field.metadata, rows(seen) +: cell(field.dataType, seen.map(_.dims(i))))
    }
    val withoutNulls = columns.indices.filter(i => seen.nonEmpty && !seen.exists(_.nulls(i))).map(columns(_)._2)
    FrameColumns.described(df, metadata.toMap, withoutNulls.toSet)
  }

  /** The rows of a partition, where all that are not empty have the same number. */
  private def rows(seen: Seq[PartitionShapes]): Long = seen.map(_.rows).distinct match {
    case Seq(n) => n
    case _      => -1L
  }

  private def cell(dataType: DataType, dims: Seq[Array[Long]]): Seq[Long] = {
    val none = Seq.fill(ColumnTypes.unnest(dataType)._2)(CellShapes.Unseen)
    dims.foldLeft(none)((all, d) => all.zip(d).map { case (a, b) => CellShapes.merged(a, b) }).map(math.max(_, -1L))
  }
}

/** What the rows of one partition tell about the columns, in their order.
  *
  * @param nulls
  *   whether a column has any
  * @param dims
  *   a column's cell, see [[CellShapes]]
  */
final private case class PartitionShapes(rows: Long, nulls: Array[Boolean], dims: Array[Array[Long]])

private object PartitionShapes {

  /** @param columns
    *   positions and types
    */
  def of(rows: Iterator[InternalRow], columns: Seq[(Int, DataType)]): PartitionShapes = {
    val positions = columns.map(_._1).toArray
    val shapes = columns.map(c => new CellShapes(c._2)).toArray
    val nulls = new Array[Boolean](positions.length)
    var n = 0L
    rows.foreach { row =>
      n += 1
      var i = 0
      while (i < positions.length) {
        if (row.isNullAt(positions(i))) nulls(i) = true else shapes(i).add(row, positions(i))
        i += 1
      }
    }
    PartitionShapes(n, nulls, shapes.map(_.dims))
  }
}

/** The dimensions that all cells of a column have in common. */
final private class CellShapes(dataType: DataType) {

  /** Per dimension: its size, -1 when it differs, [[CellShapes.Unseen]] when no cell has shown it. */
  val dims: Array[Long] = Array.fill(ColumnTypes.unnest(dataType)._2)(CellShapes.Unseen)

  private type Measure = (SpecializedGetters, Int) => Unit
  private val measure = measureOf(dataType, 0)

  /** Looks at the value at `ordinal`, which is not null. */
  def add(from: SpecializedGetters, ordinal: Int): Unit = measure(from, ordinal)

  private def measureOf(t: DataType, level: Int): Measure = t match {
    case ArrayType(element, _) => arrays(measureOf(element, level + 1), level, deep = level + 1 < dims.length)
    case VectorType =>
      (from, i) => {
        val vector = from.getStruct(i, 4) // type, size of a sparse one, indices, values
        see(level, if (vector.getByte(0) == 0) vector.getInt(1) else vector.getArray(3).numElements())
      }
    case MatrixType =>
      (from, i) => {
        val matrix = from.getStruct(i, 7) // type, rows, columns, ...
        see(level, matrix.getInt(1))
        see(level + 1, matrix.getInt(2))
      }
    case _ => (_, _) => ()
  }

  private def arrays(inner: Measure, level: Int, deep: Boolean): Measure = (from, i) => {
    val array = from.getArray(i)
    val n = array.numElements()
    see(level, n)
    var j = 0
    while (deep && j < n) {
      if (!array.isNullAt(j)) inner(array, j)
      j += 1
    }
  }

  private def see(level: Int, size: Int): Unit = dims(level) = CellShapes.merged(dims(level), size.toLong)
}

private object CellShapes {
  val Unseen = -2L

  def merged(a: Long, b: Long): Long = if (a == b || a == Unseen) b else if (b == Unseen) a else -1L
}
