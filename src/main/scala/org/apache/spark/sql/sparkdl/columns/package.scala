package org.apache.spark.sql.sparkdl

/** A model applied to columns, as an expression of Spark: the call. */
package object columns
