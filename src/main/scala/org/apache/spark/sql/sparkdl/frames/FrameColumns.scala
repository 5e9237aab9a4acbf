package org.apache.spark.sql.sparkdl.frames

import scala.reflect.ClassTag

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.catalyst.InternalRow
import org.apache.spark.sql.catalyst.expressions.{Alias, NamedExpression}
import org.apache.spark.sql.catalyst.expressions.objects.AssertNotNull
import org.apache.spark.sql.catalyst.plans.logical.Project
import org.apache.spark.sql.classic.{Dataset => ClassicDataset}
import org.apache.spark.sql.execution.SQLExecution
import org.apache.spark.sql.types.Metadata

/** Rows as Spark holds them, and columns described anew: Spark's private API behind the analysis of DataFrames. */
object FrameColumns {

  /** What `f` makes of the rows of each partition, in the order of the partitions; a job named `name`. */
  def perPartition[T: ClassTag](df: DataFrame, name: String)(f: Iterator[InternalRow] => T): Array[T] = {
    val execution = df.queryExecution
    SQLExecution.withNewExecutionId(execution, Some(name)) {
      TaskResults.perPartition(execution.toRdd)(f)
    }
  }

  /** The same columns with other metadata.
    *
    * @param metadata
    *   by the column's position
    * @param neverNull
    *   positions of columns that are no longer nullable: a null in them, should the source change, ends the job
    */
  def described(df: DataFrame, metadata: Map[Int, Metadata], neverNull: Set[Int]): DataFrame = {
    val classic = df.asInstanceOf[ClassicDataset[_]]
    val plan = classic.queryExecution.analyzed
    val columns: Seq[NamedExpression] = plan.output.zipWithIndex.map { case (a, i) =>
      val value = if (a.nullable && neverNull(i)) AssertNotNull(a, Seq(s"column '${a.name}'")) else a
      val known = metadata.get(i)
      if (value.eq(a) && known.isEmpty) a
      else Alias(value, a.name)(explicitMetadata = Some(known.getOrElse(a.metadata)))
    }
    ClassicDataset.ofRows(classic.sparkSession, Project(columns, plan))
  }
}
