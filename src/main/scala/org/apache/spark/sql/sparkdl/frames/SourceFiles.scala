package org.apache.spark.sql.sparkdl.frames

import org.apache.spark.sql.DataFrame
import org.apache.spark.sql.execution.datasources.{HadoopFsRelation, LogicalRelation, PartitioningAwareFileIndex}

/** What Spark's file sources listed for a DataFrame. */
object SourceFiles {

  /** Addresses of the listed files that are empty: Spark leaves them out of the scan without a word. */
  def empty(files: DataFrame): Seq[String] =
    files.queryExecution.analyzed
      .collect { case relation: LogicalRelation => relation.relation }
      .collect { case HadoopFsRelation(index: PartitioningAwareFileIndex, _, _, _, _, _) =>
        index.allFiles().filter(f => f.getLen == 0 && isData(f.getPath.getName)).map(_.getPath.toString)
      }
      .flatten

  /** As in Spark, names that begin with an underscore or a dot are no data. */
  private def isData(name: String): Boolean = !name.startsWith("_") && !name.startsWith(".")
}
