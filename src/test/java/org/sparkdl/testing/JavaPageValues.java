package org.sparkdl.testing;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

import org.sparkdl.tensorframes.Program;

/**
 * What the blocks of Java in README.md and docs/ take for granted, beside the imports in
 * project/DocBlocks.scala; {@code PageValues} for Java.
 */
public abstract class JavaPageValues {
  protected SparkSession spark;
  protected Dataset<Row> table;
  protected Dataset<Row> rows;
  protected Program scaled;
}
