package org.apache.spark.sql.sparkdl

/** The physical nodes: how the rows of a partition go through a model or are merged. */
package object execution
